// Mean and biased variance of each channel over batch and places.
#include "moments.h"

namespace audionas {
namespace {

// sizes: batch, tensors, channels, places, threads
template <class S>
void moments(const int64_t* sizes, const S* const* x, const int64_t* strides, double* mean, double* variance) {
  unsigned mode = DenormalMode::mode();
  long channels = sizes[2], places = sizes[3];
#pragma omp parallel for num_threads(sizes[4]) schedule(static)
  for (long i = 0; i < sizes[1] * channels; i++) {
    DenormalMode as_caller(mode);
    Moments found;
    long k = i / channels, c = i % channels;
    for (long n = 0; n < sizes[0]; n++) found.take(x[k] + n * strides[k] + c * places, places);
    mean[i] = found.mean;
    variance[i] = found.squares / found.n;
  }
}

}  // namespace
}  // namespace audionas

#define AUDIONAS_MOMENTS(S)                                                                                  \
  AUDIONAS_EXPORT void audionas_moments_##S(                                                                 \
      const int64_t* sizes, const S* const* x, const int64_t* strides, double* mean, double* variance) {     \
    audionas::moments<S>(sizes, x, strides, mean, variance);                                                 \
  }

AUDIONAS_MOMENTS(float)
AUDIONAS_MOMENTS(double)
