// The operations of recipes on rows of `hidden` numbers, and their gradients.
#pragma once
#include "recipe_program.h"
#include "recipe_vectors.h"

namespace audionas {

// Some neighbouring clips in one frame: where their numbers begin in the first block of each buffer, and the way from
// block to block. Within a block the rows of `hidden` numbers follow each other.
template <class S>
struct Rows {
  S* at[N_BUFFERS];
  long step[N_BUFFERS], n, hidden;
  S* operator()(Place place) const { return at[place.buffer] + place.block * step[place.buffer]; }
};

// `visit(load, store)` for each vector of all rows; the last may be part of one, and is filled up with zeros.
template <class S, class Visit>
inline void over(const Rows<S>& rows, Visit visit) {
  long j = 0, all = rows.n * rows.hidden;
  auto get = [&j](const S* from) { return load<S>(from + j); };
  auto put = [&j](S* to, Vec<S> v) { store<S>(to + j, v); };
  for (; j + LANES<S> <= all; j += LANES<S>) visit(get, put);
  size_t rest = (all - j) * sizeof(S);
  if (!rest) return;
  auto get_part = [j, rest](const S* from) {
    Vec<S> v = {};
    memcpy(&v, from + j, rest);
    return v;
  };
  visit(get_part, [j, rest](S* to, Vec<S> v) { memcpy(to + j, &v, rest); });
}

template <class S>
void run(const Operation& op, const Rows<S>& rows) {
  S* out = rows(op.result);
  const S *x = rows(op.inputs[0]), *y = rows(op.inputs[1]), *z = rows(op.inputs[2]);
  switch (op.code) {
    case PRODUCT: return over<S>(rows, [&](auto get, auto put) { put(out, get(x) * get(y)); });
    case SUM: return over<S>(rows, [&](auto get, auto put) { put(out, get(x) + get(y)); });
    case BLEND:
      return over<S>(rows, [&](auto get, auto put) { put(out, get(x) * get(y) + (S(1) - get(x)) * get(z)); });
    case TANH: return over<S>(rows, [&](auto get, auto put) { put(out, tanh<S>(get(x))); });
    case SIGMOID: return over<S>(rows, [&](auto get, auto put) { put(out, sigmoid<S>(get(x))); });
    case LEAKY_RELU:
      return over<S>(rows, [&](auto get, auto put) { put(out, get(x) > 0 ? get(x) : get(x) * S(0.01)); });
    case COPY: return over<S>(rows, [&](auto get, auto put) { put(out, get(x)); });
    case HAND_ON: return;
  }
}

// Gradients may share their place with each other and with values: everything is read before the first is written.
template <class S>
void run_back(const Operation& op, const Rows<S>& rows) {
  const S *value = rows(op.result), *from = rows(op.result_gradient);
  const S *x = rows(op.inputs[0]), *y = rows(op.inputs[1]), *z = rows(op.inputs[2]);
  const Gradient* to = op.gradients;
  S *dx = rows(to[0].place), *dy = rows(to[1].place), *dz = rows(to[2].place);
  auto give = [](auto get, auto put, S* at, Vec<S> v, int adds) { put(at, adds ? get(at) + v : v); };
  switch (op.code) {
    case PRODUCT:
      return over<S>(rows, [&](auto get, auto put) {
        Vec<S> g = get(from), a = get(x), b = get(y);
        give(get, put, dx, g * b, to[0].adds), give(get, put, dy, g * a, to[1].adds);
      });
    case SUM:
      return over<S>(rows, [&](auto get, auto put) {
        Vec<S> g = get(from);
        give(get, put, dx, g, to[0].adds), give(get, put, dy, g, to[1].adds);
      });
    case BLEND:
      return over<S>(rows, [&](auto get, auto put) {
        Vec<S> g = get(from), gate = get(x), a = get(y), b = get(z);
        give(get, put, dx, g * (a - b), to[0].adds);
        give(get, put, dy, g * gate, to[1].adds), give(get, put, dz, g * (S(1) - gate), to[2].adds);
      });
    case TANH:
      return over<S>(rows, [&](auto get, auto put) {
        Vec<S> v = get(value);
        give(get, put, dx, get(from) * (S(1) - v * v), to[0].adds);
      });
    case SIGMOID:
      return over<S>(rows, [&](auto get, auto put) {
        Vec<S> v = get(value);
        give(get, put, dx, get(from) * (S(1) - v) * v, to[0].adds);
      });
    case LEAKY_RELU:
      return over<S>(rows, [&](auto get, auto put) {
        Vec<S> g = get(from);
        give(get, put, dx, get(value) > 0 ? g : g * S(0.01), to[0].adds);
      });
    case COPY:
    case HAND_ON:
      return over<S>(rows, [&](auto get, auto put) { give(get, put, dx, get(from), to[0].adds); });
  }
}

}  // namespace audionas
