// Products of rows with matrices that are packed once for a whole sequence.
#pragma once
#include <utility>

#include "recipe_vectors.h"

namespace audionas {

#if defined(__AVX512F__) || defined(__aarch64__)
constexpr int ROWS_AT_ONCE = 14;  // 28 sums in 32 registers
#else
constexpr int ROWS_AT_ONCE = 6;  // 12 sums in 16 registers
#endif
constexpr int VECTORS_AT_ONCE = 2;
constexpr long DEPTH_AT_ONCE = 256;  // of a panel: 32 KB, what a first-level cache holds

template <class S>
constexpr int PANEL = VECTORS_AT_ONCE * LANES<S>;

// Of a matrix of `depth` rows and n columns.
template <class S>
long packed_size(long depth, long n) {
  return (n + PANEL<S> - 1) / PANEL<S> * PANEL<S> * depth;
}

#if defined(__clang__) || __GNUC__ >= 12
#define AUDIONAS_TRANSPOSES_VECTORS 1

// One step of a transposition: the numbers of two rows that stand STEP columns off their places change sides.
template <class S, int STEP, int... J>
inline void change_sides(Vec<S>& a, Vec<S>& b, std::integer_sequence<int, J...>) {
  Vec<S> upper = __builtin_shufflevector(a, b, (J & STEP ? LANES<S> + J - STEP : J)...);
  b = __builtin_shufflevector(a, b, (J & STEP ? LANES<S> + J : J + STEP)...);
  a = upper;
}

template <class S, int STEP = LANES<S> / 2>
inline void transpose(Vec<S> (&rows)[LANES<S>]) {
  if constexpr (STEP > 0) {
#pragma GCC unroll 16
    for (int i = 0; i < LANES<S>; i++)
      if (!(i & STEP)) change_sides<S, STEP>(rows[i], rows[i + STEP], std::make_integer_sequence<int, LANES<S>>());
    transpose<S, STEP / 2>(rows);
  }
}
#endif

// A whole panel of rows of a weight, k by k, from number `k` to the last square of registers; gives back where that ends.
template <class S>
inline long pack_squares(const S* weight, long depth, long k, long end, S* packed) {
#ifdef AUDIONAS_TRANSPOSES_VECTORS
  constexpr int W = LANES<S>;
  for (; k + W <= end; k += W)
    for (int v = 0; v < VECTORS_AT_ONCE; v++) {
      Vec<S> square[W];
#pragma GCC unroll 16
      for (int j = 0; j < W; j++) square[j] = load<S>(weight + (v * W + j) * depth + k);
      transpose<S>(square);
#pragma GCC unroll 16
      for (int i = 0; i < W; i++) store<S>(packed + (k + i) * PANEL<S> + v * W, square[i]);
    }
#endif
  return k;
}

// Weight -> panels of columns of W^T (n rows, for y = x W^T), or of W (n columns, for dx = dy W), one row of a panel for
// each of `depth` numbers of x or dy; zeros behind the last column.
template <class S>
void pack(const S* weight, long depth, long n, bool transposed, S* packed) {
  for (long first = 0; first < n; first += PANEL<S>, packed += depth * PANEL<S>) {
    long width = n - first < PANEL<S> ? n - first : PANEL<S>;
    if (width < PANEL<S>) memset(packed, 0, depth * PANEL<S> * sizeof(S));
    if (!transposed)
      for (long k = 0; k < depth; k++) memcpy(packed + k * PANEL<S>, weight + k * n + first, width * sizeof(S));
    else {
      const S* rows = weight + first * depth;
      constexpr long SOME = 64;  // that a first-level cache holds
      for (long some = width == PANEL<S> ? pack_squares<S>(rows, depth, 0, depth, packed) : 0; some < depth; some += SOME)
        for (long j = 0, end = some + SOME < depth ? some + SOME : depth; j < width; j++)
          for (long k = some; k < end; k++) packed[k * PANEL<S> + j] = rows[j * depth + k];
    }
  }
}

// Rows that a product is added to: `step` from one to the next, 0 if it is the same; nowhere: the product alone.
template <class S>
struct Base {
  const S* at = nullptr;
  long step = 0;
};

// Of ROWS rows with numbers a(row, k), as many columns of the product as a panel has: c = base + sum of a(row, k) times
// row k of the panel. If IS_PACKED, the rows' numbers stand side by side, k by k; else row by row, `a_step` between.
// What stands at `ahead` is brought near, a register for each k.
template <class S, int ROWS, bool IS_PACKED>
inline void tile(long depth, const S* a, long a_step, const S* panel, Base<S> base, S* c, long c_step, long columns, const S* ahead) {
  constexpr int W = LANES<S>;
  Vec<S> sum[ROWS][VECTORS_AT_ONCE] = {};
#pragma GCC unroll 16
  for (int i = 0; i < ROWS; i++)
#pragma GCC unroll 8
    for (int v = 0; v < VECTORS_AT_ONCE; v++) __builtin_prefetch(c + i * c_step + v * W, 1, 3);
#pragma GCC unroll 2
  for (long k = 0; k < depth; k++) {
    Vec<S> b[VECTORS_AT_ONCE];
#pragma GCC unroll 8
    for (int v = 0; v < VECTORS_AT_ONCE; v++) b[v] = load<S>(panel + k * PANEL<S> + v * W);
    __builtin_prefetch(ahead + k * W, 0, 2);
#pragma GCC unroll 16
    for (int i = 0; i < ROWS; i++) {
      Vec<S> x = all<S>(IS_PACKED ? a[k * ROWS + i] : a[i * a_step + k]);
#pragma GCC unroll 8
      for (int v = 0; v < VECTORS_AT_ONCE; v++) sum[i][v] += x * b[v];
    }
  }
#pragma GCC unroll 16
  for (int i = 0; i < ROWS; i++) {
    const S* from = base.at + i * base.step;
    S* row = c + i * c_step;
    if (columns == PANEL<S>) {
#pragma GCC unroll 8
      for (int v = 0; v < VECTORS_AT_ONCE; v++) store<S>(row + v * W, base.at ? load<S>(from + v * W) + sum[i][v] : sum[i][v]);
    } else {
      S tail[PANEL<S>];
      memcpy(tail, sum[i], sizeof tail);
      for (long j = 0; j < columns; j++) row[j] = base.at ? from[j] + tail[j] : tail[j];
    }
  }
}

// As `tile` for `rows` rows, at most ROWS.
template <class S, bool IS_PACKED, int ROWS = ROWS_AT_ONCE, class... Rest>
inline void fitting_tile(long rows, Rest... rest) {
  if constexpr (ROWS > 1)
    if (rows < ROWS) return fitting_tile<S, IS_PACKED, ROWS - 1>(rows, rest...);
  tile<S, ROWS, IS_PACKED>(rest...);
}

// c (rows, n) = base + a (rows, depth) times a packed matrix (depth, n). Each row's sums are the same whichever rows
// stand beside it.
template <class S>
void product(long rows, long depth, long n, const S* a, const S* packed, Base<S> base, S* c) {
  long blocks = (rows + ROWS_AT_ONCE - 1) / ROWS_AT_ONCE;
  for (long first = 0; first < n; first += PANEL<S>) {
    long columns = n - first < PANEL<S> ? n - first : PANEL<S>;
    for (long deep = 0; deep < depth; deep += DEPTH_AT_ONCE) {
      long part = depth - deep < DEPTH_AT_ONCE ? depth - deep : DEPTH_AT_ONCE;
      const S *panel = packed + first * depth + deep * PANEL<S>, *next = panel + part * PANEL<S>;
      for (long k = 0; k < blocks; k++) {  // of equal sizes, as far as they go; each brings a part of the next panel near
        long i = rows * k / blocks, end = rows * (k + 1) / blocks;
        const S* ahead = k < VECTORS_AT_ONCE ? next + k * part * LANES<S> : panel;
        Base<S> from = deep ? Base<S>{c + first + i * n, n} : Base<S>{base.at ? base.at + first + i * base.step : nullptr, base.step};
        fitting_tile<S, false>(end - i, part, a + i * depth + deep, depth, panel, from, c + i * n + first, n, columns, ahead);
      }
    }
  }
}

}  // namespace audionas
