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

// Sums and sums of squares of a channel's values, lane by lane.
template <class S>
struct LaneSums {
  Vector<S> sum, squares;
};

// One row of OUT channels, `columns` wide. Writes whole vectors where `may_overrun`, else nothing beyond the columns.
// `sums`: where not null, of each channel; what lies beyond the columns is left out.
template <class S, int OUT, bool SUMS>
void pointwise_row(
    const S* p, long by_out, long by_in, int channels, const S* in, long plane_in, S* out, long plane_out,
    long columns, bool may_overrun, LaneSums<S>* sums) {
  LaneSums<S> own[OUT];
  for (int o = 0; SUMS && o < OUT; o++) own[o] = sums[o];
  long f = 0;
  for (; f + 2 * lanes<S> <= columns; f += 2 * lanes<S>) {
    Vector<S> sum[OUT][2];
    pointwise_tile<S, OUT, 2>(p, by_out, by_in, channels, in + f, plane_in, sum);
    AUDIONAS_UNROLL
    for (int o = 0; o < OUT; o++) {
      store(out + o * plane_out + f, sum[o][0]);
      store(out + o * plane_out + f + lanes<S>, sum[o][1]);
      if (SUMS) {
        own[o].sum += sum[o][0] + sum[o][1];
        own[o].squares += sum[o][0] * sum[o][0] + sum[o][1] * sum[o][1];
      }
    }
  }
  for (; f < columns; f += lanes<S>) {
    Vector<S> sum[OUT][1];
    pointwise_tile<S, OUT, 1>(p, by_out, by_in, channels, in + f, plane_in, sum);
    long n = std::min<long>(columns - f, lanes<S>);
    typename VectorOf<S>::mask is_inside = first_lanes<S>(n);
    AUDIONAS_UNROLL
    for (int o = 0; o < OUT; o++) {
      if (may_overrun || n == lanes<S>)
        store(out + o * plane_out + f, sum[o][0]);
      else
        std::memcpy(out + o * plane_out + f, &sum[o][0], n * sizeof(S));
      if (SUMS) {
        Vector<S> inside = is_inside ? sum[o][0] : Vector<S>{};
        own[o].sum += inside;
        own[o].squares += inside * inside;
      }
    }
  }
  for (int o = 0; SUMS && o < OUT; o++) sums[o] = own[o];
}

template <class S, bool SUMS>
void pointwise(
    const S* p, long by_out, long by_in, int channels, const S* in, long plane_in, S* out, long plane_out,
    long columns, bool may_overrun, LaneSums<S>* sums) {
  for (int o = 0; o < channels;) {
    const S* q = p + o * by_out;
    S* to = out + o * plane_out;
    LaneSums<S>* of = SUMS ? sums + o : nullptr;
#define AUDIONAS_ROW(OUT) \
  pointwise_row<S, OUT, SUMS>(q, by_out, by_in, channels, in, plane_in, to, plane_out, columns, may_overrun, of), o += OUT
    int left = channels - o;
    if (left >= 6)
      AUDIONAS_ROW(6);
    else if (left >= 4)
      AUDIONAS_ROW(4);
    else if (left >= 2)
      AUDIONAS_ROW(2);
    else
      AUDIONAS_ROW(1);
#undef AUDIONAS_ROW
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
