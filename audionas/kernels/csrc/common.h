// What all kernels share: how a function is made visible, and how a thread treats denormal numbers.
#pragma once
#include <cstdint>

#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

#define AUDIONAS_EXPORT extern "C" __attribute__((visibility("default")))

namespace audionas {

// Within: this thread treats denormal numbers as 0, as the thread does that reads `mode()`.
class DenormalMode {
 public:
#if defined(__SSE2__)
  static unsigned mode() { return _mm_getcsr(); }
  explicit DenormalMode(unsigned mode) : before_(_mm_getcsr()) { _mm_setcsr((before_ & ~0x8040u) | (mode & 0x8040u)); }
  ~DenormalMode() { _mm_setcsr(before_); }

 private:
  unsigned before_;
#elif defined(__aarch64__)
  static unsigned mode() { return static_cast<unsigned>(read()); }
  explicit DenormalMode(unsigned mode) : before_(read()) { write((before_ & ~(1ull << 24)) | (mode & (1ull << 24))); }
  ~DenormalMode() { write(before_); }

 private:
  static uint64_t read() { uint64_t v; __asm__ volatile("mrs %0, fpcr" : "=r"(v)); return v; }
  static void write(uint64_t v) { __asm__ volatile("msr fpcr, %0" : : "r"(v)); }
  uint64_t before_;
#else
  static unsigned mode() { return 0; }
  explicit DenormalMode(unsigned) {}
#endif
};

}  // namespace audionas
