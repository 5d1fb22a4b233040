// A recurrent recipe over some frames of a batch, forward, and the reverse pass by hand. No recipe is compiled: the
// plan is interpreted. Rows are packed frame by frame, clips of more frames first, so that the clips that still run
// are the first rows of a frame. The product of x stands in the blocks of linear nodes already; gradients of weights
// are left to the caller, who finds each linear node's gradient in its block.
// Clips are independent, so threads share them out and never wait for each other.
#pragma GCC optimize("no-fast-math")
#include "common.h"
#include "recipe_operations.h"
#include "recipe_product.h"

namespace audionas {

constexpr long CACHED_BYTES = 32768;

template <class S>
struct Scan {
  Program program;
  const int64_t* offsets;  // first row of each frame of the sequence, and one more
  long n_frames, first, last, hidden;
  S* base[N_BUFFERS];
  const S* weights;
  S* biases;  // in the reverse pass their gradients, a row for each thread

  long clips(long t) const { return offsets[t + 1] - offsets[t]; }
  long most_clips() const { return clips(0); }

  // Of n clips from clip b on in frame t. States lie behind the initial ones; the rows of other buffers are those of
  // these frames, or of a frame, alone.
  Rows<S> rows(long t, long b, long n) const {
    long most = most_clips(), before = most + (t ? offsets[t - 1] : -most), here = offsets[t] - offsets[first] + b;
    long all = offsets[n_frames], some = offsets[last] - offsets[first];
    long index[N_BUFFERS] = {here, here, most + offsets[t] + b, before + b, b, b, b, offsets[t] + b};
    long of_block[N_BUFFERS] = {some, some, most + all, most + all, most, most, most, all};
    Rows<S> rows;
    for (int i = 0; i < N_BUFFERS; i++) rows.at[i] = base[i] + index[i] * hidden, rows.step[i] = of_block[i] * hidden;
    rows.n = n, rows.hidden = hidden;
    return rows;
  }

  // What `visit` does for all clips from one to another, for as many at once as a first-level cache holds.
  template <class Visit>
  void by_rows(long t, long from, long to, Visit visit) const {
    long blocks = 0;
    for (int i = 0; i < N_BUFFERS; i++) blocks += program.n_blocks[i];
    long most = CACHED_BYTES / (blocks * hidden * long(sizeof(S)));
    if (most < 1) most = 1;
    for (long b = from; b < to; b += most) visit(rows(t, b, to - b < most ? to - b : most));
  }

  void multiply(const Rows<S>& rows, const Product& p, bool back) const {
    S *linear = rows({LINEAR, p.slot}), *source = rows(back ? p.gradient.place : p.source);
    const S* weight = weights + p.weight * packed_size<S>(hidden);
    if (back) product<S>(rows.n, hidden, linear, weight, source, p.gradient.adds);
    else product<S>(rows.n, hidden, source, weight, linear, true);
  }

  void forward(long t, long from, long to) const {
    add_biases(rows(t, from, to - from));
    const Product* p = program.products;
    const Operation* op = program.operations;
    for (int level = 0; level < program.n_levels; level++) {
      for (; p < program.products + program.n_products && p->level == level; p++) multiply(rows(t, from, to - from), *p, false);
      const Operation *begin = op, *all = program.operations + program.n_operations;
      while (op < all && op->level == level) op++;
      by_rows(t, from, to, [&](const Rows<S>& some) {
        for (const Operation* o = begin; o < op; o++) run<S>(*o, some);
      });
    }
  }

  void backward(long t, long from, long to, S* of_biases) const {
    take_over(rows(t, from, to - from));
    const Product* p = program.products + program.n_products;
    const Operation* op = program.operations + program.n_operations;
    for (int level = program.n_levels - 1; level >= 0; level--) {
      const Operation* end = op;
      while (op > program.operations && op[-1].level == level) op--;
      by_rows(t, from, to, [&](const Rows<S>& some) {
        for (const Operation* o = end; o > op; o--) run_back<S>(o[-1], some);
      });
      for (; p > program.products && p[-1].level == level; p--) multiply(rows(t, from, to - from), p[-1], true);
    }
    Rows<S> all = rows(t, from, to - from);
    over_blocks(all, [&](S* row, S* of_bias, bool) {
      for (long j = 0; j < hidden; j++) of_bias[j] += row[j];
    }, of_biases);
  }

  void add_biases(const Rows<S>& rows) const {
    over_blocks(rows, [&](S* row, S* bias, bool reads_x) {
      for (long j = 0; j < hidden; j++) row[j] = reads_x ? row[j] + bias[j] : bias[j];
    }, biases);
  }

  // `visit(row, of_block, reads x)` for each row of each linear node, with its block of `vector`.
  template <class Visit>
  void over_blocks(const Rows<S>& rows, Visit visit, S* vector) const {
    for (int slot = 0; slot < program.n_blocks[LINEAR]; slot++)
      for (long r = 0; r < rows.n; r++)
        visit(rows({LINEAR, slot}) + r * hidden, vector + slot * hidden, slot < program.n_reading);
  }

  // The gradient of each h_new: what the next frame gave its h_prev, and what comes from outside.
  void take_over(const Rows<S>& rows) const {
    for (int k = 0; k < program.n_states; k++) {
      S *to = rows({GRADIENT, program.ends_at[k]}), *carried = rows({CARRY, k});
      bool is_emitted = k < program.n_blocks[EMITTED];
      const S* given = is_emitted ? rows({EMITTED, k}) : carried;
      over<S>(rows, [&](auto get, auto put) {
        put(to, is_emitted ? get(carried) + get(given) : get(carried));
        if (!program.is_read[k]) put(carried, Vec<S>{});
      });
    }
  }

  // Clips from which on thread i works: equal numbers of rows, as far as whole clips go.
  long share(int i, int threads) const {
    if (i == threads) return most_clips();
    long rows = offsets[last] - offsets[first], seen = 0, b = 0;
    for (; b < most_clips() && seen * threads < rows * i; b++)
      for (long t = first; t < last && b < clips(t); t++) seen++;
    return b;
  }

  void run_all(int threads, bool back) const {
#pragma omp parallel for num_threads(threads) schedule(static, 1) if (threads > 1)
    for (int i = 0; i < threads; i++) {
      DenormalMode flushed(~0u);
      long from = share(i, threads), to = share(i + 1, threads);
      for (long k = first; k < last; k++) {
        long t = back ? first + last - 1 - k : k, end = to < clips(t) ? to : clips(t);
        if (from < end) back ? backward(t, from, end, biases + i * program.n_blocks[LINEAR] * hidden) : forward(t, from, end);
      }
    }
  }
};

// Arguments: plan, see `recipe_program.h`; offsets, first row of each of n_frames frames, and one more; the frames
// `first` to `last`, last excluded; weights, packed one behind the other; biases, (linear nodes, hidden), and in the
// reverse pass their gradients, to be added to, for each thread. Buffers, (blocks, rows, hidden): linear and kept, rows
// of these frames; states, the initial ones of all clips and then the rows of the sequence; scratch, clips. For the
// reverse pass alone: carry, clips, the gradient of the states behind the last frame, then of those before the first;
// emitted, rows of the sequence.
template <class S>
void scan(const int32_t* plan, const int64_t* offsets, int64_t n_frames, int64_t first, int64_t last, int64_t hidden, int threads, int back,
          const S* weights, S* biases, S* linear, S* kept, S* states, S* scratch, S* carry, S* emitted) {
  S* base[N_BUFFERS] = {linear, kept, states, states, scratch, carry, scratch, emitted};
  Scan<S> scan{Program(plan), offsets, n_frames, first, last, hidden, {}, weights, biases};
  memcpy(scan.base, base, sizeof base);
  scan.run_all(threads, back);
}

}  // namespace audionas

#define AUDIONAS_RECIPE(NAME, S)                                                                                          \
  AUDIONAS_EXPORT int64_t audionas_recipe_packed_size_##NAME(int64_t hidden) { return audionas::packed_size<S>(hidden); } \
  AUDIONAS_EXPORT void audionas_recipe_pack_##NAME(const S* weight, int64_t hidden, int transposed, S* packed) {          \
    audionas::pack<S>(weight, hidden, transposed, packed);                                                                \
  }                                                                                                                       \
  AUDIONAS_EXPORT void audionas_recipe_scan_##NAME(const int32_t* plan, const int64_t* offsets, int64_t n_frames,         \
                                                   int64_t first, int64_t last, int64_t hidden, int threads, int back,    \
                                                   const S* weights, S* biases, S* linear, S* kept, S* states,            \
                                                   S* scratch, S* carry, S* emitted) {                                    \
    audionas::scan<S>(plan, offsets, n_frames, first, last, hidden, threads, back, weights, biases, linear, kept, states, \
                      scratch, carry, emitted);                                                                           \
  }

AUDIONAS_RECIPE(f32, float)
AUDIONAS_RECIPE(f64, double)
