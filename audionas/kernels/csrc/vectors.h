// Vectors of the processor's width, of float or double, and memory for a thread's planes.
#pragma once
#if defined(__GNUC__) && !defined(__clang__)
// Otherwise -ffast-math turns chains of fused multiply-adds into trees of products and sums, at half the speed.
#pragma GCC optimize("no-associative-math")
#endif
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>

#include "common.h"

#if defined(__AVX512F__)
#define AUDIONAS_VECTOR_BYTES 64
#elif defined(__AVX__)
#define AUDIONAS_VECTOR_BYTES 32
#else
#define AUDIONAS_VECTOR_BYTES 16
#endif
#define AUDIONAS_INLINE inline __attribute__((always_inline))
#if defined(__clang__)
#define AUDIONAS_UNROLL _Pragma("clang loop unroll(full)")
#else
#define AUDIONAS_UNROLL _Pragma("GCC unroll 16")
#endif

namespace audionas {

template <class S>
struct VectorOf {
  typedef S type __attribute__((vector_size(AUDIONAS_VECTOR_BYTES)));
  typedef int32_t mask __attribute__((vector_size(AUDIONAS_VECTOR_BYTES)));
};
template <>
struct VectorOf<double> {
  typedef double type __attribute__((vector_size(AUDIONAS_VECTOR_BYTES)));
  typedef int64_t mask __attribute__((vector_size(AUDIONAS_VECTOR_BYTES)));
};
template <class S>
using Vector = typename VectorOf<S>::type;
template <class S>
constexpr int lanes = AUDIONAS_VECTOR_BYTES / sizeof(S);

template <class S>
AUDIONAS_INLINE Vector<S> load(const S* from) {
  Vector<S> v;
  std::memcpy(&v, from, sizeof v);
  return v;
}

template <class S>
AUDIONAS_INLINE void store(S* to, Vector<S> v) {
  std::memcpy(to, &v, sizeof v);
}

// True for the first n lanes.
template <class S>
AUDIONAS_INLINE typename VectorOf<S>::mask first_lanes(long n) {
  typename VectorOf<S>::mask mask;
  for (int i = 0; i < lanes<S>; i++) mask[i] = i < n ? -1 : 0;
  return mask;
}

template <class S>
AUDIONAS_INLINE S sum_of(Vector<S> v) {
  S sum = 0;
  for (int i = 0; i < lanes<S>; i++) sum += v[i];
  return sum;
}

template <class S>
constexpr long rounded_up(long n) {
  return (n + lanes<S> - 1) / lanes<S> * lanes<S>;
}

// Memory that starts at a cache line. A thread's own is kept from call to call: fresh pages cost more than the sums.
template <class S>
class Scratch {
 public:
  Scratch() = default;
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() { std::free(at_); }

  // At least n numbers, as they were left.
  S* grown(long n) {
    if (n > size_) {
      std::free(at_);
      at_ = nullptr;
      size_ = 0;
      size_t bytes = (n * sizeof(S) + 63) / 64 * 64;
      at_ = static_cast<S*>(std::aligned_alloc(64, bytes));
      if (at_ == nullptr) throw std::bad_alloc();
      size_ = n;
    }
    return at_;
  }

  S* zeros(long n) {
    S* at = grown(n);
    std::memset(at, 0, n * sizeof(S));
    return at;
  }

 private:
  S* at_ = nullptr;
  long size_ = 0;
};

}  // namespace audionas
