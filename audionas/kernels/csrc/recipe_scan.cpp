// A recurrent recipe over some frames of a batch, forward, and the reverse pass by hand. No recipe is compiled: the
// plan is interpreted. Rows are packed frame by frame, clips of more frames first, so that the clips that still run
// are the first rows of a frame. In the blocks of linear nodes that read x its product and the bias stand already;
// gradients of weights and biases are left to the caller, who finds each linear node's gradient in its block.
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
  const S *weights, *biases;  // biases: for the way forward alone
  bool is_by_clip;            // the emitted gradient: clip by clip, all frames of each, one block

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

  Rows<S> row_by_clip(long t, long b) const {
    Rows<S> one = rows(t, b, 1);
    one.at[EMITTED] = base[EMITTED] + (b * n_frames + t) * hidden;
    return one;
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

  // States before the first frame are 0: they give nothing to a product, and nobody asks for their gradient.
  void multiply(long t, const Rows<S>& rows, const Product& p, bool back) const {
    if (back && !t && p.gradient.place.buffer == CARRY) return;
    S *linear = rows({LINEAR, p.slot}), *source = rows(back ? p.gradient.place : p.source);
    const S* weight = weights + p.weight * packed_size<S>(hidden, hidden);
    if (back) return product<S>(rows.n, hidden, hidden, linear, weight, {p.gradient.adds ? source : nullptr, hidden}, source);
    Base<S> base{linear, hidden};
    if (is_first(p)) base = {biases + p.slot * hidden, 0};
    if (!t && p.source.buffer == PREVIOUS) {
      for (long r = 0; r < rows.n && !base.step; r++) memcpy(linear + r * hidden, base.at, hidden * sizeof(S));
      return;
    }
    product<S>(rows.n, hidden, hidden, source, weight, base, linear);
  }

  // Whether nothing stands in the linear node's block yet.
  bool is_first(const Product& p) const {
    const Product* q = program.products;
    while (q->slot != p.slot) q++;
    return q == &p && p.slot >= program.n_reading;
  }

  void forward(long t, long from, long to) const {
    const Product* p = program.products;
    const Operation* op = program.operations;
    for (int level = 0; level < program.n_levels; level++) {
      for (; p < program.products + program.n_products && p->level == level; p++) multiply(t, rows(t, from, to - from), *p, false);
      const Operation *begin = op, *all = program.operations + program.n_operations;
      while (op < all && op->level == level) op++;
      by_rows(t, from, to, [&](const Rows<S>& some) {
        for (const Operation* o = begin; o < op; o++) run<S>(*o, some);
      });
    }
  }

  void backward(long t, long from, long to) const {
    if (is_by_clip)
      for (long b = from; b < to; b++) take_over(row_by_clip(t, b));
    else
      take_over(rows(t, from, to - from));
    const Product* p = program.products + program.n_products;
    const Operation* op = program.operations + program.n_operations;
    for (int level = program.n_levels - 1; level >= 0; level--) {
      const Operation* end = op;
      while (op > program.operations && op[-1].level == level) op--;
      by_rows(t, from, to, [&](const Rows<S>& some) {
        for (const Operation* o = end; o > op; o--) run_back<S>(o[-1], some);
      });
      for (; p > program.products && p[-1].level == level; p--) multiply(t, rows(t, from, to - from), p[-1], true);
    }
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
        if (from < end) back ? backward(t, from, end) : forward(t, from, end);
      }
    }
  }
};

// Arguments: plan, see `recipe_program.h`; offsets, first row of each of n_frames frames, and one more; the frames
// `first` to `last`, last excluded; weights, packed one behind the other; biases, (linear nodes, hidden), and in the
// reverse pass not read. Buffers, (blocks, rows, hidden): linear and kept, rows
// of these frames; states, the initial ones of all clips and then the rows of the sequence; scratch, clips. For the
// reverse pass alone: carry, clips, the gradient of the states behind the last frame, then of those before the first;
// emitted, rows of the sequence, or, if `is_by_clip`, all frames of the first clip, then of the next.
template <class S>
void scan(const int32_t* plan, const int64_t* offsets, int64_t n_frames, int64_t first, int64_t last, int64_t hidden, int threads, int back,
          int is_by_clip, const S* weights, const S* biases, S* linear, S* kept, S* states, S* scratch, S* carry, S* emitted) {
  S* base[N_BUFFERS] = {linear, kept, states, states, scratch, carry, scratch, emitted};
  Scan<S> scan{Program(plan), offsets, n_frames, first, last, hidden, {}, weights, biases, bool(is_by_clip)};
  memcpy(scan.base, base, sizeof base);
  scan.run_all(threads, back);
}

}  // namespace audionas

#define AUDIONAS_RECIPE(NAME, S)                                                                                          \
  AUDIONAS_EXPORT void audionas_recipe_scan_##NAME(const int32_t* plan, const int64_t* offsets, int64_t n_frames,         \
                                                   int64_t first, int64_t last, int64_t hidden, int threads, int back,    \
                                                   int is_by_clip, const S* weights, const S* biases, S* linear, S* kept, \
                                                   S* states, S* scratch, S* carry, S* emitted) {                         \
    audionas::scan<S>(plan, offsets, n_frames, first, last, hidden, threads, back, is_by_clip, weights, biases, linear,   \
                      kept, states, scratch, carry, emitted);                                                             \
  }

AUDIONAS_RECIPE(f32, float)
AUDIONAS_RECIPE(f64, double)
