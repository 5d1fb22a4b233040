// What a factorised reduction reads: after ReLU, every second row and column from the first on, and those one row
// further down and one column further to the right (or to the left), with zeros beyond the edge.
#include "vectors.h"

namespace audionas {
namespace {

struct Halves {
  long batch, channels, height, width, shift, rows, columns;
  int threads;

  // sizes: batch, channels, height, width, shift of the second half's columns (1 or -1), threads
  explicit Halves(const int64_t* sizes)
      : batch(sizes[0]), channels(sizes[1]), height(sizes[2]), width(sizes[3]), shift(sizes[4]),
        rows((height + 1) / 2), columns((width + 1) / 2), threads(static_cast<int>(sizes[5])) {}

  // Columns of the second half that lie on the plane.
  long first_inside() const { return shift < 0 ? 1 : 0; }
  long end_inside() const { return shift < 0 ? columns : width / 2; }
};

template <class S>
AUDIONAS_INLINE S rectified(S v) {
  return v < 0 ? S(0) : v;  // NaN stays
}

template <class S>
void halve_plane(const Halves& of, const S* x, S* first, S* second) {
  for (long h = 0; h < of.rows; h++) {
    const S* even = x + 2 * h * of.width;
    S* to = first + h * of.columns;
#pragma omp simd
    for (long w = 0; w < of.columns; w++) to[w] = rectified(even[2 * w]);
    to = second + h * of.columns;
    if (2 * h + 1 == of.height) {
      std::fill(to, to + of.columns, S(0));
      continue;
    }
    const S* odd = even + of.width + of.shift;
    to[0] = to[of.columns - 1] = S(0);
#pragma omp simd
    for (long w = of.first_inside(); w < of.end_inside(); w++) to[w] = rectified(odd[2 * w]);
  }
}

template <class S>
void join_plane(const Halves& of, const S* first, const S* second, const S* dfirst, const S* dsecond, S* dx) {
  for (long h = 0; h < of.rows; h++) {
    S* even = dx + 2 * h * of.width;
    long at = h * of.columns, pairs = of.width / 2;
#pragma omp simd
    for (long w = 0; w < pairs; w++) {
      even[2 * w] = first[at + w] <= 0 ? S(0) : dfirst[at + w];
      even[2 * w + 1] = S(0);
    }
    if (of.width % 2 == 1) even[of.width - 1] = first[at + pairs] <= 0 ? S(0) : dfirst[at + pairs];
    if (2 * h + 1 == of.height) continue;
    S* odd = even + of.width;
    std::fill(odd, odd + of.width, S(0));
    odd += of.shift;
    for (long w = of.first_inside(); w < of.end_inside(); w++)
      odd[2 * w] = second[at + w] <= 0 ? S(0) : dsecond[at + w];
  }
}

template <class S>
void halve(const Halves& of, const S* x, int64_t x_stride, S* first, S* second) {
  unsigned mode = DenormalMode::mode();
  long whole = of.height * of.width, half = of.rows * of.columns;
#pragma omp parallel for num_threads(of.threads) schedule(static)
  for (long i = 0; i < of.batch * of.channels; i++) {
    DenormalMode as_caller(mode);
    const S* from = x + i / of.channels * x_stride + i % of.channels * whole;
    halve_plane(of, from, first + i * half, second + i * half);
  }
}

template <class S>
void join(const Halves& of, const S* first, const S* second, const S* dfirst, const S* dsecond, S* dx) {
  unsigned mode = DenormalMode::mode();
  long whole = of.height * of.width, half = of.rows * of.columns;
#pragma omp parallel for num_threads(of.threads) schedule(static)
  for (long i = 0; i < of.batch * of.channels; i++) {
    DenormalMode as_caller(mode);
    long at = i * half;
    join_plane(of, first + at, second + at, dfirst + at, dsecond + at, dx + i * whole);
  }
}

}  // namespace
}  // namespace audionas

#define AUDIONAS_HALVES(S)                                                                                       \
  AUDIONAS_EXPORT void audionas_halves_##S(                                                                      \
      const int64_t* sizes, const S* x, int64_t x_stride, S* first, S* second) {                                 \
    audionas::halve<S>(audionas::Halves(sizes), x, x_stride, first, second);                                     \
  }                                                                                                              \
  AUDIONAS_EXPORT void audionas_halves_gradient_##S(                                                             \
      const int64_t* sizes, const S* first, const S* second, const S* dfirst, const S* dsecond, S* dx) {         \
    audionas::join<S>(audionas::Halves(sizes), first, second, dfirst, dsecond, dx);                              \
  }

AUDIONAS_HALVES(float)
AUDIONAS_HALVES(double)
