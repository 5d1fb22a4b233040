// Sums over the taps of a small dense kernel on padded planes of one row pitch: forward, and for the kernel's gradient.
#pragma once
#include "vectors.h"

namespace audionas {

constexpr int BLOCK = 4;  // rows of the output at a time, so that a load serves several of them

// out[r * step][f] (+)= sum over i, j of w[i][j] * in[(r + i) * step][f + j * dilation], for BLOCK rows, N vectors.
template <class S, int KH, int KW, int N, bool ADD>
AUDIONAS_INLINE void stencil_tile(const S* in, const Vector<S>* w, S* out, long step, long dilation) {
  Vector<S> sum[BLOCK][N];
  AUDIONAS_UNROLL
  for (int r = 0; r < BLOCK; r++) {
    AUDIONAS_UNROLL
    for (int n = 0; n < N; n++) sum[r][n] = ADD ? load(out + r * step + n * lanes<S>) : Vector<S>{};
  }
  AUDIONAS_UNROLL
  for (int i = 0; i < BLOCK + KH - 1; i++) {
    AUDIONAS_UNROLL
    for (int j = 0; j < KW; j++) {
      Vector<S> x[N];
      AUDIONAS_UNROLL
      for (int n = 0; n < N; n++) x[n] = load(in + i * step + j * dilation + n * lanes<S>);
      AUDIONAS_UNROLL
      for (int r = 0; r < BLOCK; r++) {
        if (i - r < 0 || i - r >= KH) continue;
        AUDIONAS_UNROLL
        for (int n = 0; n < N; n++) sum[r][n] += w[(i - r) * KW + j] * x[n];
      }
    }
  }
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
      long v = 0;
      for (; v + 2 <= vectors; v += 2)
        stencil_tile<S, KH, KW, 2, ADD>(from + v * lanes<S>, kernel, to + v * lanes<S>, step, columns_apart);
      if (v < vectors) stencil_tile<S, KH, KW, 1, ADD>(from + v * lanes<S>, kernel, to + v * lanes<S>, step, columns_apart);
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
