// Vectors of one register for float and double, and the activations of recipes on them.
// Compiled without -ffast-math whatever the command line says: it would reassociate the roundings that exp rests on.
#pragma once
#include <cstdint>
#include <cstring>

namespace audionas {

#if defined(__AVX512F__)
constexpr int REGISTER_BYTES = 64;
#elif defined(__AVX__)
constexpr int REGISTER_BYTES = 32;
#else
constexpr int REGISTER_BYTES = 16;
#endif

template <class S>
struct Simd;

// Constants of exp: Cephes' expf, and the Taylor series to r^13 for double. MAGIC rounds to an integer when it is added,
// which then stands in the last bits. EXP_MAX is where 2^n becomes infinite, TANH_MAX where tanh is 1.
template <>
struct Simd<float> {
  typedef float V __attribute__((vector_size(REGISTER_BYTES)));
  typedef int32_t I __attribute__((vector_size(REGISTER_BYTES)));
  static constexpr int MANTISSA = 23, BIAS = 127;
  static constexpr float MAGIC = 12582912.f, LN2_HIGH = 0.693359375f, LN2_LOW = -2.12194440e-4f;
  static constexpr float EXP_MIN = -87.f, EXP_MAX = 89.f, TANH_MAX = 10.f;
  static constexpr float P[] = {1.9875691500e-4f, 1.3981999507e-3f, 8.3334519073e-3f,
                                4.1665795894e-2f, 1.6666665459e-1f, 5.0000001201e-1f};
};

template <>
struct Simd<double> {
  typedef double V __attribute__((vector_size(REGISTER_BYTES)));
  typedef int64_t I __attribute__((vector_size(REGISTER_BYTES)));
  static constexpr int MANTISSA = 52, BIAS = 1023;
  static constexpr double MAGIC = 6755399441055744., LN2_HIGH = 6.93145751953125e-1, LN2_LOW = 1.42860682030941723212e-6;
  static constexpr double EXP_MIN = -708., EXP_MAX = 710., TANH_MAX = 20.;
  static constexpr double P[] = {1. / 6227020800., 1. / 479001600., 1. / 39916800., 1. / 3628800., 1. / 362880., 1. / 40320.,
                                 1. / 5040.,       1. / 720.,       1. / 120.,      1. / 24.,      1. / 6.,      1. / 2.};
};

template <class S>
using Vec = typename Simd<S>::V;

template <class S>
constexpr int LANES = REGISTER_BYTES / sizeof(S);

template <class S>
inline Vec<S> load(const S* from) {
  Vec<S> v;
  memcpy(&v, from, sizeof v);
  return v;
}

template <class S>
inline void store(S* to, Vec<S> v) {
  memcpy(to, &v, sizeof v);
}

template <class S>
inline Vec<S> all(S value) {  // x - 0 is x, whatever x is; x + 0 is not, and would be computed
  return value - Vec<S>{};
}

// x = n ln 2 + r; gives exp(r) - 1 and 2^n. NaN stays NaN in the first.
template <class S>
inline Vec<S> reduced_exp(Vec<S> x, Vec<S>* power) {
  typedef Simd<S> C;
  Vec<S> shifted = x * S(1.44269504088896340736) + C::MAGIC, n = shifted - C::MAGIC;
  Vec<S> r = (x - n * C::LN2_HIGH) - n * C::LN2_LOW, p = all<S>(C::P[0]);
  for (unsigned k = 1; k < sizeof(C::P) / sizeof(S); k++) p = p * r + C::P[k];
  *power = (Vec<S>)(((typename C::I)shifted + C::BIAS) << C::MANTISSA);
  return p * (r * r) + r;
}

template <class S>
inline Vec<S> within(Vec<S> x, S low, S high) {  // NaN passes
  x = x > high ? all<S>(high) : x;
  return x < low ? all<S>(low) : x;
}

template <class S>
inline Vec<S> sigmoid(Vec<S> x) {
  Vec<S> power, less_one = reduced_exp<S>(within<S>(-x, Simd<S>::EXP_MIN, Simd<S>::EXP_MAX), &power);
  return S(1) / (S(1) + (less_one + S(1)) * power);
}

template <class S>
inline Vec<S> tanh(Vec<S> x) {  // by exp(2x) - 1, which is exact to its last digits near 0 too
  Vec<S> power, less_one = reduced_exp<S>(within<S>(x, -Simd<S>::TANH_MAX, Simd<S>::TANH_MAX) * S(2), &power);
  Vec<S> e = less_one * power + (power - S(1));
  return e / (e + S(2));
}

}  // namespace audionas
