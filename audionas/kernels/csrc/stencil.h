// Sums over the taps of a small dense kernel on padded planes of one row pitch: forward, and for the kernel's gradient.
#pragma once
#include "vectors.h"

namespace audionas {

constexpr int BLOCK = 4;  // rows of the output at a time, so that a load serves several of them

// What row I of the input adds to the rows of the output that its taps reach, then the rows after it. A recursion,
// since the compiler leaves loops of this depth rolled, with their sums in memory.
template <class S, int KH, int KW, int N, int I>
AUDIONAS_INLINE void stencil_rows(
    const S* in, const Vector<S>* w, Vector<S> (&sum)[BLOCK][N], long step, long dilation) {
  constexpr int first = I - KH + 1 > 0 ? I - KH + 1 : 0, last = I < BLOCK - 1 ? I : BLOCK - 1;
  AUDIONAS_UNROLL
  for (int j = 0; j < KW; j++) {
    Vector<S> x[N];
    AUDIONAS_UNROLL
    for (int n = 0; n < N; n++) x[n] = load(in + j * dilation + n * lanes<S>);
    AUDIONAS_UNROLL
    for (int r = first; r <= last; r++) {
      AUDIONAS_UNROLL
      for (int n = 0; n < N; n++) sum[r][n] += w[(I - r) * KW + j] * x[n];
    }
  }
  if constexpr (I + 1 < BLOCK + KH - 1) stencil_rows<S, KH, KW, N, I + 1>(in + step, w, sum, step, dilation);
}

// out[r * step][f] (+)= sum over i, j of w[i][j] * in[(r + i) * step][f + j * dilation], for BLOCK rows, N vectors.
template <class S, int KH, int KW, int N, bool ADD>
AUDIONAS_INLINE void stencil_tile(const S* in, const Vector<S>* w, S* out, long step, long dilation) {
  Vector<S> sum[BLOCK][N];
  AUDIONAS_UNROLL
  for (int r = 0; r < BLOCK; r++) {
    AUDIONAS_UNROLL
    for (int n = 0; n < N; n++) sum[r][n] = ADD ? load(out + r * step + n * lanes<S>) : Vector<S>{};
  }
  stencil_rows<S, KH, KW, N, 0>(in, w, sum, step, dilation);
  AUDIONAS_UNROLL
  for (int r = 0; r < BLOCK; r++) {
    AUDIONAS_UNROLL
    for (int n = 0; n < N; n++) store(out + r * step + n * lanes<S>, sum[r][n]);
  }
}

// The same for `rows` rows of `vectors` vectors; writes up to BLOCK * rows_apart - 1 rows more.
template <class S, int KH, int KW, bool ADD>
void stencil(const S* in, const S* w, S* out, long pitch, long rows_apart, long columns_apart, long rows, long vectors) {
  Vector<S> kernel[KH * KW];
  for (int t = 0; t < KH * KW; t++) kernel[t] = Vector<S>{} + w[t];
  long step = rows_apart * pitch;
  for (long top = 0; top < rows; top += BLOCK * rows_apart)
    for (long h = top; h < std::min(rows, top + rows_apart); h++) {
      const S* from = in + h * pitch;
      S* to = out + h * pitch;
      for (long v = 0, left; (left = vectors - v) > 0;) {
        const S* x = from + v * lanes<S>;
        S* y = to + v * lanes<S>;
        if (left == 3 || left >= 5) {
          stencil_tile<S, KH, KW, 3, ADD>(x, kernel, y, step, columns_apart);
          v += 3;
        } else if (left >= 2) {
          stencil_tile<S, KH, KW, 2, ADD>(x, kernel, y, step, columns_apart);
          v += 2;
        } else {
          stencil_tile<S, KH, KW, 1, ADD>(x, kernel, y, step, columns_apart);
          v += 1;
        }
      }
    }
}

// dw[i][j] += sum over h, f of in[h + i * rows_apart][f + j * columns_apart] * g[h][f]; g is 0 around its rows.
template <class S, int KH, int KW>
void stencil_gradient(
    const S* in, const S* g, S* dw, long pitch, long rows_apart, long columns_apart, long rows, long vectors) {
  Vector<S> sum[KH][KW] = {};
  for (long h = 0; h < rows + (KH - 1) * rows_apart; h++)
    for (long v = 0; v < vectors; v++) {
      const S* x = in + h * pitch + v * lanes<S>;
      const S* y = g + h * pitch + v * lanes<S>;
      Vector<S> gradient[KH];
      AUDIONAS_UNROLL
      for (int i = 0; i < KH; i++) gradient[i] = load(y - i * rows_apart * pitch);
      AUDIONAS_UNROLL
      for (int j = 0; j < KW; j++) {
        Vector<S> shifted = load(x + j * columns_apart);
        AUDIONAS_UNROLL
        for (int i = 0; i < KH; i++) sum[i][j] += shifted * gradient[i];
      }
    }
  for (int i = 0; i < KH; i++)
    for (int j = 0; j < KW; j++) dw[i * KW + j] += sum_of<S>(sum[i][j]);
}

template <class S>
struct Stencil {
  typedef void (*Sum)(const S*, const S*, S*, long, long, long, long, long);
  Sum put, add, gradient;
};

template <class S, int KH, int KW>
constexpr Stencil<S> stencil_of() {
  return {stencil<S, KH, KW, false>, stencil<S, KH, KW, true>, stencil_gradient<S, KH, KW>};
}

// The sizes of which others are put together.
template <class S>
Stencil<S> stencil_for(int height, int width) {
  switch (height * 10 + width) {
    case 55: return stencil_of<S, 5, 5>();
    case 33: return stencil_of<S, 3, 3>();
    case 32: return stencil_of<S, 3, 2>();
    case 23: return stencil_of<S, 2, 3>();
    case 22: return stencil_of<S, 2, 2>();
    case 21: return stencil_of<S, 2, 1>();
    case 12: return stencil_of<S, 1, 2>();
    default: return stencil_of<S, 1, 1>();
  }
}

}  // namespace audionas
