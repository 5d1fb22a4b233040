// Whether threads of the kernels flush denormals as their caller does.
#include "common.h"

// A call of its own: within one function the compiler may move arithmetic past a change of the mode.
__attribute__((noinline)) static void halve(float* value) { *value *= 0.5f; }

// Each value is halved by a thread of its own.
AUDIONAS_EXPORT void audionas_halve(int threads, float* values) {
  unsigned mode = audionas::DenormalMode::mode();
#pragma omp parallel for num_threads(threads) schedule(static, 1)
  for (int i = 0; i < threads; i++) {
    audionas::DenormalMode as_caller(mode);
    halve(values + i);
  }
}
