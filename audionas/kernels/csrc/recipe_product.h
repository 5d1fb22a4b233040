// Products of a few rows with a square matrix that is packed once for a whole sequence.
#pragma once
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

template <class S>
long packed_size(long n) {
  return (n + PANEL<S> - 1) / PANEL<S> * PANEL<S> * n;
}

// weight (n, n) -> panels of columns of W^T (for y = x W^T), or of W (for dx = dy W); zeros behind the last column.
template <class S>
void pack(const S* weight, long n, bool transposed, S* packed) {
  long by_k = transposed ? 1 : n, by_j = transposed ? n : 1;
  for (long first = 0; first < n; first += PANEL<S>)
    for (long k = 0; k < n; k++, packed += PANEL<S>) {
      const S* from = weight + k * by_k + first * by_j;
      long width = n - first < PANEL<S> ? n - first : PANEL<S>;
      for (long j = 0; j < width; j++) packed[j] = from[j * by_j];
      for (long j = width; j < PANEL<S>; j++) packed[j] = 0;
    }
}

// Of c (ROWS, n), as many columns as a panel has: = or += the first `depth` columns of a (ROWS, n) times the panel.
template <class S, int ROWS>
inline void block(long depth, const S* a, long n, const S* panel, S* c, bool add, long columns) {
  constexpr int W = LANES<S>;
  Vec<S> sum[ROWS][VECTORS_AT_ONCE] = {};
#pragma GCC unroll 2
  for (long k = 0; k < depth; k++) {
    Vec<S> b[VECTORS_AT_ONCE];
#pragma GCC unroll 8
    for (int v = 0; v < VECTORS_AT_ONCE; v++) {
      b[v] = load<S>(panel + k * PANEL<S> + v * W);
      __builtin_prefetch(panel + (depth + k) * PANEL<S> + v * W, 0, 2);  // of the next panel
    }
#pragma GCC unroll 16
    for (int i = 0; i < ROWS; i++) {
      Vec<S> x = all<S>(a[i * n + k]);
#pragma GCC unroll 8
      for (int v = 0; v < VECTORS_AT_ONCE; v++) sum[i][v] += x * b[v];
    }
  }
#pragma GCC unroll 16
  for (int i = 0; i < ROWS; i++) {
    S* row = c + i * n;
    if (columns == PANEL<S>) {
#pragma GCC unroll 8
      for (int v = 0; v < VECTORS_AT_ONCE; v++) store<S>(row + v * W, add ? load<S>(row + v * W) + sum[i][v] : sum[i][v]);
    } else {
      S tail[PANEL<S>];
      memcpy(tail, sum[i], sizeof tail);
      for (long j = 0; j < columns; j++) row[j] = add ? row[j] + tail[j] : tail[j];
    }
  }
}

// As `block` for `rows` rows, at most ROWS.
template <class S, int ROWS>
inline void fitting_block(long rows, long depth, const S* a, long n, const S* panel, S* c, bool add, long columns) {
  if constexpr (ROWS > 1)
    if (rows < ROWS) return fitting_block<S, ROWS - 1>(rows, depth, a, n, panel, c, add, columns);
  block<S, ROWS>(depth, a, n, panel, c, add, columns);
}

// c (rows, n) = or += a (rows, n) times a packed matrix (n, n). Each row's sums are the same whichever rows stand beside.
template <class S>
void product(long rows, long n, const S* a, const S* packed, S* c, bool add) {
  long blocks = (rows + ROWS_AT_ONCE - 1) / ROWS_AT_ONCE;
  for (long first = 0; first < n; first += PANEL<S>) {
    long columns = n - first < PANEL<S> ? n - first : PANEL<S>;
    for (long deep = 0; deep < n; deep += DEPTH_AT_ONCE) {
      long depth = n - deep < DEPTH_AT_ONCE ? n - deep : DEPTH_AT_ONCE;
      const S* panel = packed + first * n + deep * PANEL<S>;
      for (long k = 0; k < blocks; k++) {  // of equal sizes, as far as they go
        long i = rows * k / blocks, end = rows * (k + 1) / blocks;
        const S* x = a + i * n + deep;
        fitting_block<S, ROWS_AT_ONCE>(end - i, depth, x, n, panel, c + i * n + first, add || deep > 0, columns);
      }
    }
  }
}

}  // namespace audionas
