// Products over channels, for every place of rows of equal pitch: C is small, so it is done by hand in registers.
#pragma once
#include "vectors.h"

namespace audionas {

// out[o] = sum over c of p[o * by_out + c * by_in] * in[c], for OUT channels and N vectors from one place on.
template <class S, int OUT, int N>
AUDIONAS_INLINE void pointwise_tile(
    const S* p, long by_out, long by_in, int channels, const S* in, long plane, Vector<S> (&sum)[OUT][N]) {
  for (int o = 0; o < OUT; o++)
    for (int n = 0; n < N; n++) sum[o][n] = Vector<S>{};
  for (int c = 0; c < channels; c++) {
    Vector<S> x[N];
    AUDIONAS_UNROLL
    for (int n = 0; n < N; n++) x[n] = load(in + c * plane + n * lanes<S>);
    AUDIONAS_UNROLL
    for (int o = 0; o < OUT; o++) {
      Vector<S> w = Vector<S>{} + p[o * by_out + c * by_in];
      AUDIONAS_UNROLL
      for (int n = 0; n < N; n++) sum[o][n] += w * x[n];
    }
  }
}

// One row of OUT channels, `columns` wide. Writes whole vectors where `may_overrun`, else nothing beyond the columns.
template <class S, int OUT>
void pointwise_row(
    const S* p, long by_out, long by_in, int channels, const S* in, long plane_in, S* out, long plane_out,
    long columns, bool may_overrun) {
  long f = 0;
  for (; f + 2 * lanes<S> <= columns; f += 2 * lanes<S>) {
    Vector<S> sum[OUT][2];
    pointwise_tile<S, OUT, 2>(p, by_out, by_in, channels, in + f, plane_in, sum);
    AUDIONAS_UNROLL
    for (int o = 0; o < OUT; o++) {
      store(out + o * plane_out + f, sum[o][0]);
      store(out + o * plane_out + f + lanes<S>, sum[o][1]);
    }
  }
  for (; f < columns; f += lanes<S>) {
    Vector<S> sum[OUT][1];
    pointwise_tile<S, OUT, 1>(p, by_out, by_in, channels, in + f, plane_in, sum);
    long n = std::min<long>(columns - f, lanes<S>);
    for (int o = 0; o < OUT; o++) {
      if (may_overrun || n == lanes<S>)
        store(out + o * plane_out + f, sum[o][0]);
      else
        std::memcpy(out + o * plane_out + f, &sum[o][0], n * sizeof(S));
    }
  }
}

template <class S>
void pointwise(
    const S* p, long by_out, long by_in, int channels, const S* in, long plane_in, S* out, long plane_out,
    long columns, bool may_overrun) {
  for (int o = 0; o < channels;) {
    const S* q = p + o * by_out;
    S* to = out + o * plane_out;
    switch (std::min(6, channels - o)) {
      case 6: pointwise_row<S, 6>(q, by_out, by_in, channels, in, plane_in, to, plane_out, columns, may_overrun); o += 6; break;
      case 5:
      case 4: pointwise_row<S, 4>(q, by_out, by_in, channels, in, plane_in, to, plane_out, columns, may_overrun); o += 4; break;
      case 3:
      case 2: pointwise_row<S, 2>(q, by_out, by_in, channels, in, plane_in, to, plane_out, columns, may_overrun); o += 2; break;
      default: pointwise_row<S, 1>(q, by_out, by_in, channels, in, plane_in, to, plane_out, columns, may_overrun); o += 1;
    }
  }
}

// dp[a * channels + b] += sum of a[a] * b[b] over rows of whole vectors; a is 0 beyond the columns.
template <class S, int A, int B>
void product_tile(const S* a, const S* b, S* dp, int channels, long plane, long pitch, long rows, long vectors) {
  Vector<S> sum[A][B] = {};
  for (long h = 0; h < rows; h++)
    for (long v = 0; v < vectors; v++) {
      long at = h * pitch + v * lanes<S>;
      Vector<S> y[B];
      AUDIONAS_UNROLL
      for (int j = 0; j < B; j++) y[j] = load(b + j * plane + at);
      AUDIONAS_UNROLL
      for (int i = 0; i < A; i++) {
        Vector<S> x = load(a + i * plane + at);
        AUDIONAS_UNROLL
        for (int j = 0; j < B; j++) sum[i][j] += x * y[j];
      }
    }
  for (int i = 0; i < A; i++)
    for (int j = 0; j < B; j++) dp[i * channels + j] += sum_of<S>(sum[i][j]);
}

template <class S, int A>
int product_rows(const S* a, const S* b, S* dp, int channels, long plane, long pitch, long rows, long vectors) {
  int j = 0;
  for (; j + 3 <= channels; j += 3) product_tile<S, A, 3>(a, b + j * plane, dp + j, channels, plane, pitch, rows, vectors);
  for (; j < channels; j++) product_tile<S, A, 1>(a, b + j * plane, dp + j, channels, plane, pitch, rows, vectors);
  return A;
}

template <class S>
void products(const S* a, const S* b, S* dp, int channels, long plane, long pitch, long rows, long vectors) {
  for (int i = 0; i < channels;) {
    const S* x = a + i * plane;
    S* to = dp + i * channels;
    if (channels - i >= 6)
      i += product_rows<S, 6>(x, b, to, channels, plane, pitch, rows, vectors);
    else if (channels - i >= 3)
      i += product_rows<S, 3>(x, b, to, channels, plane, pitch, rows, vectors);
    else
      i += product_rows<S, 1>(x, b, to, channels, plane, pitch, rows, vectors);
  }
}

}  // namespace audionas
