// Mean and variance of a channel, exact enough that a mean far from 0 does not eat the variance.
#pragma once
#include "vectors.h"

namespace audionas {

constexpr long CHUNK = 512;  // numbers that are summed in their own precision before a double takes over

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
      S sum = 0, left = 0, squared = 0;
#pragma omp simd reduction(+ : sum)
      for (long f = 0; f < m; f++) sum += at[f];
      S centre = sum / m;
#pragma omp simd reduction(+ : left, squared)
      for (long f = 0; f < m; f++) {
        S away = at[f] - centre;
        left += away;  // what rounding left of the mean
        squared += away * away;
      }
      double rest = static_cast<double>(left) / m;
      join(m, centre + rest, squared - m * rest * rest);
    }
  }
};

}  // namespace audionas
