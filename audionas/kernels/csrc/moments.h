// Mean and variance of a channel, exact enough that a mean far from 0 does not eat the variance.
#pragma once
#include "vectors.h"

namespace audionas {

constexpr long CHUNK = 512;  // numbers that are summed in their own precision before a double takes over

// Sum of d and sum of d * v, lane by lane; emptied into doubles before a lane has summed a chunk.
template <class S>
class LaneDots {
 public:
  AUDIONAS_INLINE void take(int k, Vector<S> d, Vector<S> v) {
    sums_[k] += d;
    products_[k] += d * v;
  }

  void take_one(S d, S v) {
    sum_ += d;
    product_ += d * v;
  }

  // After `n` more numbers: into dots, if there may be many.
  void settle(long n, double* dots) {
    taken_ += n;
    if (taken_ >= CHUNK * lanes<S> / 2) empty(dots);
  }

  void empty(double* dots) {
    dots[0] += sum_of<S>(sums_[0] + sums_[1]) + sum_;
    dots[1] += sum_of<S>(products_[0] + products_[1]) + product_;
    *this = LaneDots();
  }

 private:
  Vector<S> sums_[2] = {}, products_[2] = {};
  S sum_ = 0, product_ = 0;
  long taken_ = 0;
};

// Count, mean and sum of squared deviations, joined chunk by chunk. Source: Chan, Golub, LeVeque 1983, equation 2.1.
struct Moments {
  double n = 0, mean = 0, squares = 0;

  void join(double m, double chunk_mean, double chunk_squares) {
    double total = n + m, difference = chunk_mean - mean;
    squares += chunk_squares + difference * difference * (n * m / total);
    mean += difference * (m / total);
    n = total;
  }

  void join(const Moments& other) {
    if (other.n > 0) join(other.n, other.mean, other.squares);
  }

  // Of a chunk whose lanes are summed already.
  template <class S>
  void join_sums(long m, Vector<S> sums, Vector<S> squares_of) {
    double sum = 0, squared = 0;
    for (int i = 0; i < lanes<S>; i++) {
      sum += sums[i];
      squared += squares_of[i];
    }
    double of_mean = sum / m;
    join(m, of_mean, m > 0 && squared < sum * of_mean ? 0.0 : squared - sum * of_mean);
  }

  template <class S>
  void take(const S* x, long size) {
    for (long from = 0; from < size; from += CHUNK) {
      long m = std::min(CHUNK, size - from);
      const S* at = x + from;
      S centre = sum_over<S>(m, [&](long f) { return load(at + f); }, [&](long f) { return at[f]; }) / m;
      S left = sum_over<S>(  // what rounding left of the mean
          m, [&](long f) { return load(at + f) - centre; }, [&](long f) { return at[f] - centre; });
      S squared = sum_over<S>(
          m, [&](long f) { Vector<S> away = load(at + f) - centre; return away * away; },
          [&](long f) { S away = at[f] - centre; return away * away; });
      double rest = static_cast<double>(left) / m;
      join(m, centre + rest, squared - m * rest * rest);
    }
  }
};

}  // namespace audionas
