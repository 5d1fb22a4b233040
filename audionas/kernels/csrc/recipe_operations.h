// The operations of recipes on one row of `hidden` numbers, and their gradients.
#pragma once
#include "recipe_program.h"
#include "recipe_vectors.h"

namespace audionas {

// Where the numbers of one clip in one frame begin, in each buffer.
template <class S>
struct Row {
  S* at[N_BUFFERS];
  S* operator()(Place place, long hidden) const { return at[place.buffer] + place.block * hidden; }
};

// `visit(j, load, store)` for each vector of a row; the last may be part of one, and is then filled up with zeros.
template <class S, class Visit>
inline void over_row(long hidden, Visit visit) {
  long j = 0;
  for (; j + LANES<S> <= hidden; j += LANES<S>)
    visit([j](const S* from) { return load<S>(from + j); }, [j](S* to, Vec<S> v) { store<S>(to + j, v); });
  if (size_t rest = (hidden - j) * sizeof(S)) {
    auto part = [j, rest](const S* from) {
      Vec<S> v = {};
      memcpy(&v, from + j, rest);
      return v;
    };
    visit(part, [j, rest](S* to, Vec<S> v) { memcpy(to + j, &v, rest); });
  }
}

template <class S>
void run(const Operation& op, const Row<S>& row, long hidden) {
  S* out = row(op.result, hidden);
  const S *x = row(op.inputs[0], hidden), *y = row(op.inputs[1], hidden), *z = row(op.inputs[2], hidden);
  switch (op.code) {
    case PRODUCT: return over_row<S>(hidden, [&](auto get, auto put) { put(out, get(x) * get(y)); });
    case SUM: return over_row<S>(hidden, [&](auto get, auto put) { put(out, get(x) + get(y)); });
    case BLEND:
      return over_row<S>(hidden, [&](auto get, auto put) { put(out, get(x) * get(y) + (S(1) - get(x)) * get(z)); });
    case TANH: return over_row<S>(hidden, [&](auto get, auto put) { put(out, tanh<S>(get(x))); });
    case SIGMOID: return over_row<S>(hidden, [&](auto get, auto put) { put(out, sigmoid<S>(get(x))); });
    case LEAKY_RELU:
      return over_row<S>(hidden, [&](auto get, auto put) { put(out, get(x) > 0 ? get(x) : get(x) * S(0.01)); });
    case COPY: memcpy(out, x, hidden * sizeof(S)); return;
    case HAND_ON: return;
  }
}

// Gradients may share their place with each other and with values: everything is read before the first is written.
template <class S>
void run_back(const Operation& op, const Row<S>& row, long hidden) {
  const S *value = row(op.result, hidden), *from = row(op.result_gradient, hidden);
  const S *x = row(op.inputs[0], hidden), *y = row(op.inputs[1], hidden), *z = row(op.inputs[2], hidden);
  const Gradient* to = op.gradients;
  S *dx = row(to[0].place, hidden), *dy = row(to[1].place, hidden), *dz = row(to[2].place, hidden);
  auto give = [](auto get, auto put, S* at, Vec<S> v, int adds) { put(at, adds ? get(at) + v : v); };
  switch (op.code) {
    case PRODUCT:
      return over_row<S>(hidden, [&](auto get, auto put) {
        Vec<S> g = get(from), a = get(x), b = get(y);
        give(get, put, dx, g * b, to[0].adds), give(get, put, dy, g * a, to[1].adds);
      });
    case SUM:
      return over_row<S>(hidden, [&](auto get, auto put) {
        Vec<S> g = get(from);
        give(get, put, dx, g, to[0].adds), give(get, put, dy, g, to[1].adds);
      });
    case BLEND:
      return over_row<S>(hidden, [&](auto get, auto put) {
        Vec<S> g = get(from), gate = get(x), a = get(y), b = get(z);
        give(get, put, dx, g * (a - b), to[0].adds);
        give(get, put, dy, g * gate, to[1].adds), give(get, put, dz, g * (S(1) - gate), to[2].adds);
      });
    case TANH:
      return over_row<S>(hidden, [&](auto get, auto put) {
        Vec<S> v = get(value);
        give(get, put, dx, get(from) * (S(1) - v * v), to[0].adds);
      });
    case SIGMOID:
      return over_row<S>(hidden, [&](auto get, auto put) {
        Vec<S> v = get(value);
        give(get, put, dx, get(from) * (S(1) - v) * v, to[0].adds);
      });
    case LEAKY_RELU:
      return over_row<S>(hidden, [&](auto get, auto put) {
        Vec<S> g = get(from);
        give(get, put, dx, get(value) > 0 ? g : g * S(0.01), to[0].adds);
      });
    case COPY:
    case HAND_ON:
      return over_row<S>(hidden, [&](auto get, auto put) { give(get, put, dx, get(from), to[0].adds); });
  }
}

}  // namespace audionas
