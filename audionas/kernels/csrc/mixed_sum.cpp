// A node's sum of weighted terms, each after BN without affine parameters: nothing but the sum is stored.
//
// With m and r a channel's mean and 1 / standard deviation, M its number of values, and g the sum's gradient:
//   out   = sum over k of w_k r_k (z_k - m_k)
//   dw_k  = r_k D_k                                   D_k = sum of g (z_k - m_k) over batch and places
//   dz_k  = w_k r_k (g - G / M - (z_k - m_k) r_k^2 D_k / M)      G = sum of g
// and the same with m = 0, r = 1 and without the means for a term that is not normalised.
#include <cmath>
#include <vector>

#include "moments.h"

namespace audionas {
namespace {

constexpr long BLOCK_OF_SUM = 2048;

template <class S>
struct Terms {
  long batch, terms, channels, places;
  int threads;
  const S* const* z;
  const int64_t* strides;
  const S* weights;
  const int32_t* normalised;
  std::vector<double> mean, rstd;  // (terms, channels); 0 and 1 of a term that is not normalised

  // sizes: batch, terms, channels, places, threads
  Terms(
      const int64_t* sizes, const S* const* z_, const int64_t* strides_, const S* weights_, const int32_t* normalised_,
      const double* mean_, const double* variance, double eps)
      : batch(sizes[0]), terms(sizes[1]), channels(sizes[2]), places(sizes[3]), threads(static_cast<int>(sizes[4])),
        z(z_), strides(strides_), weights(weights_), normalised(normalised_), mean(terms * channels, 0.0),
        rstd(terms * channels, 1.0) {
    for (long i = 0; i < terms * channels; i++) {
      if (!normalised[i / channels]) continue;
      mean[i] = mean_[i];
      rstd[i] = 1 / std::sqrt(variance[i] + eps);
    }
  }

  const S* plane(long k, long n, long c) const { return z[k] + n * strides[k] + c * places; }
};

template <class S>
void sum(const Terms<S>& of, S* out) {
  unsigned mode = DenormalMode::mode();
#pragma omp parallel for num_threads(of.threads) schedule(static)
  for (long i = 0; i < of.batch * of.channels; i++) {
    DenormalMode as_caller(mode);
    long n = i / of.channels, c = i % of.channels;
    for (long from = 0; from < of.places; from += BLOCK_OF_SUM) {
      long size = std::min(BLOCK_OF_SUM, of.places - from);
      S* to = out + i * of.places + from;
      for (long k = 0; k < of.terms; k++) {
        long at = k * of.channels + c;
        const S* z = of.plane(k, n, c) + from;
        S mean = static_cast<S>(of.mean[at]), scale = static_cast<S>(of.weights[k] * of.rstd[at]);
        if (k == 0) {
#pragma omp simd
          for (long f = 0; f < size; f++) to[f] = scale * (z[f] - mean);
        } else {
#pragma omp simd
          for (long f = 0; f < size; f++) to[f] += scale * (z[f] - mean);
        }
      }
    }
  }
}

// dots[k, c] = D of term k, dots[terms, c] = G; only where asked for.
template <class S>
std::vector<double> dots_of(const Terms<S>& of, const S* g, int64_t g_stride, const std::vector<bool>& wanted) {
  unsigned mode = DenormalMode::mode();
  std::vector<double> dots((of.terms + 1) * of.channels, 0.0);
#pragma omp parallel for num_threads(of.threads) schedule(static)
  for (long c = 0; c < of.channels; c++) {
    DenormalMode as_caller(mode);
    for (long n = 0; n < of.batch; n++)
      for (long from = 0; from < of.places; from += CHUNK) {
        long size = std::min(CHUNK, of.places - from);
        const S* own = g + n * g_stride + c * of.places + from;
        S total = 0;
#pragma omp simd reduction(+ : total)
        for (long f = 0; f < size; f++) total += own[f];
        dots[of.terms * of.channels + c] += total;
        for (long k = 0; k < of.terms; k++) {
          if (!wanted[k]) continue;
          const S* z = of.plane(k, n, c) + from;
          S mean = static_cast<S>(of.mean[k * of.channels + c]), dot = 0;
#pragma omp simd reduction(+ : dot)
          for (long f = 0; f < size; f++) dot += own[f] * (z[f] - mean);
          dots[k * of.channels + c] += dot;
        }
      }
  }
  return dots;
}

template <class S>
void gradient(const Terms<S>& of, const S* g, int64_t g_stride, S* const* dz, S* dweights) {
  unsigned mode = DenormalMode::mode();
  std::vector<bool> wanted(of.terms);
  for (long k = 0; k < of.terms; k++) wanted[k] = dweights != nullptr || (of.normalised[k] && dz[k] != nullptr);
  std::vector<double> dots = dots_of(of, g, g_stride, wanted);
  for (long k = 0; k < of.terms && dweights != nullptr; k++) {
    double total = 0;
    for (long c = 0; c < of.channels; c++) total += of.rstd[k * of.channels + c] * dots[k * of.channels + c];
    dweights[k] = static_cast<S>(total);
  }
  double count = static_cast<double>(of.batch) * of.places;
#pragma omp parallel for num_threads(of.threads) schedule(static)
  for (long i = 0; i < of.batch * of.channels; i++) {
    DenormalMode as_caller(mode);
    long n = i / of.channels, c = i % of.channels;
    const S* own = g + n * g_stride + c * of.places;
    for (long k = 0; k < of.terms; k++) {
      if (dz[k] == nullptr) continue;
      long at = k * of.channels + c;
      double w = of.weights[k], r = of.rstd[at];
      S by_g = static_cast<S>(w * r);
      S* to = dz[k] + i * of.places;
      if (!of.normalised[k]) {
#pragma omp simd
        for (long f = 0; f < of.places; f++) to[f] = by_g * own[f];
        continue;
      }
      const S* z = of.plane(k, n, c);
      S mean = static_cast<S>(of.mean[at]);
      S by_z = static_cast<S>(-w * r * r * r * dots[at] / count);
      S shift = static_cast<S>(-w * r * dots[of.terms * of.channels + c] / count);
#pragma omp simd
      for (long f = 0; f < of.places; f++) to[f] = by_g * own[f] + by_z * (z[f] - mean) + shift;
    }
  }
}

}  // namespace
}  // namespace audionas

#define AUDIONAS_MIXED_SUM(S)                                                                                      \
  AUDIONAS_EXPORT void audionas_mixed_sum_##S(                                                                     \
      const int64_t* sizes, const S* const* z, const int64_t* strides, const S* weights,                           \
      const int32_t* normalised, const double* mean, const double* variance, double eps, S* out) {                 \
    audionas::sum(audionas::Terms<S>(sizes, z, strides, weights, normalised, mean, variance, eps), out);           \
  }                                                                                                                \
  AUDIONAS_EXPORT void audionas_mixed_sum_gradient_##S(                                                            \
      const int64_t* sizes, const S* const* z, const int64_t* strides, const S* weights,                           \
      const int32_t* normalised, const double* mean, const double* variance, double eps, const S* g,               \
      int64_t g_stride, S* const* dz, S* dweights) {                                                               \
    audionas::gradient(                                                                                            \
        audionas::Terms<S>(sizes, z, strides, weights, normalised, mean, variance, eps), g, g_stride, dz,          \
        dweights);                                                                                                 \
  }

AUDIONAS_MIXED_SUM(float)
AUDIONAS_MIXED_SUM(double)
