// Products of a recipe over the rows of many frames at once: what x gives to linear nodes, and gradients of x and weights.
#pragma GCC optimize("no-fast-math")
#include "common.h"
#include "recipe_gradients.h"
#include "recipe_product.h"

namespace audionas {

constexpr long ROWS_OF_X = 16 * ROWS_AT_ONCE;  // that are read for one panel of weights after the other

// linear (slots, rows, hidden) = bias + x times weights. Row r of x, (.., width), is at index[r]; `weights` are packed,
// one slot's behind the other's; `gathered` has ROWS_OF_X rows of x for each thread.
template <class S>
void input_products(long n_rows, long width, long hidden, long n_slots, int threads, const S* x, const int64_t* index,
                    const S* weights, const S* biases, S* linear, S* gathered) {
#pragma omp parallel for num_threads(threads) schedule(static, 1) if (threads > 1)
  for (int thread = 0; thread < threads; thread++) {
    DenormalMode flushed(~0u);
    S* rows = gathered + thread * ROWS_OF_X * width;
    long end = n_rows * (thread + 1) / threads;
    for (long first = n_rows * thread / threads; first < end; first += ROWS_OF_X) {
      long n = end - first < ROWS_OF_X ? end - first : ROWS_OF_X;
      for (long r = 0; r < n; r++) memcpy(rows + r * width, x + index[first + r] * width, width * sizeof(S));
      for (long slot = 0; slot < n_slots; slot++) {
        const S* weight = weights + slot * packed_size<S>(width, hidden);
        S* to = linear + (slot * n_rows + first) * hidden;
        product<S>(n, width, hidden, rows, weight, {biases + slot * hidden, 0}, to);
      }
    }
  }
}

// of_x (rows, width) = sum over the slots of linear's gradients (slots, rows, hidden) times weights, packed for it.
template <class S>
void input_gradients(long n_rows, long width, long hidden, long n_slots, int threads, const S* linear, const S* weights, S* of_x) {
#pragma omp parallel for num_threads(threads) schedule(static, 1) if (threads > 1)
  for (int thread = 0; thread < threads; thread++) {
    DenormalMode flushed(~0u);
    long end = n_rows * (thread + 1) / threads;
    for (long first = n_rows * thread / threads; first < end; first += ROWS_OF_X) {
      long n = end - first < ROWS_OF_X ? end - first : ROWS_OF_X;
      S* to = of_x + first * width;
      for (long slot = 0; slot < n_slots; slot++) {
        const S* weight = weights + slot * packed_size<S>(hidden, width);
        product<S>(n, hidden, width, linear + (slot * n_rows + first) * hidden, weight, {slot ? to : nullptr, width}, to);
      }
    }
  }
}

}  // namespace audionas

AUDIONAS_EXPORT int64_t audionas_recipe_rows_of_x() { return audionas::ROWS_OF_X; }
AUDIONAS_EXPORT int64_t audionas_recipe_rows_of_a_sum() { return audionas::ROWS_OF_A_SUM; }

#define AUDIONAS_RECIPE_PRODUCTS(NAME, S)                                                                                     \
  AUDIONAS_EXPORT int64_t audionas_recipe_columns_##NAME() { return audionas::PANELS_AT_ONCE * audionas::PANEL<S>; }          \
  AUDIONAS_EXPORT int64_t audionas_recipe_packed_size_##NAME(int64_t depth, int64_t n) {                                      \
    return audionas::packed_size<S>(depth, n);                                                                                \
  }                                                                                                                           \
  AUDIONAS_EXPORT void audionas_recipe_pack_##NAME(const S* weight, int64_t depth, int64_t n, int transposed, S* packed) {    \
    audionas::pack<S>(weight, depth, n, transposed, packed);                                                                  \
  }                                                                                                                           \
  AUDIONAS_EXPORT void audionas_recipe_input_products_##NAME(                                                                 \
      int64_t n_rows, int64_t width, int64_t hidden, int64_t n_slots, int threads, const S* x, const int64_t* index,          \
      const S* weights, const S* biases, S* linear, S* gathered) {                                                            \
    audionas::input_products<S>(n_rows, width, hidden, n_slots, threads, x, index, weights, biases, linear, gathered);        \
  }                                                                                                                           \
  AUDIONAS_EXPORT void audionas_recipe_input_gradients_##NAME(                                                                \
      int64_t n_rows, int64_t width, int64_t hidden, int64_t n_slots, int threads, const S* linear, const S* weights,         \
      S* of_x) {                                                                                                              \
    audionas::input_gradients<S>(n_rows, width, hidden, n_slots, threads, linear, weights, of_x);                             \
  }                                                                                                                           \
  AUDIONAS_EXPORT void audionas_recipe_gradients_##NAME(                                                                      \
      int64_t n_rows, int64_t hidden, int64_t n_slots, int threads, int adds, const S* linear,                                \
      const audionas::Source* sources, int64_t n_sources, const audionas::Target* targets, S* biases, S* packed, S* panels) { \
    audionas::DenormalMode flushed(~0u);                                                                                      \
    audionas::Sums<S>(n_rows, hidden, n_slots, threads, linear, packed, panels).add(sources, n_sources, targets, biases, adds); \
  }

AUDIONAS_RECIPE_PRODUCTS(f32, float)
AUDIONAS_RECIPE_PRODUCTS(f64, double)
