// 3x3 maximum and mean of the same planes, padded by 1, the mean over real pixels only.
//
// Of equal values the first in reading order is the maximum and gets the gradient; a NaN is larger than any number.
#include <limits>
#include <vector>

#include "vectors.h"

namespace audionas {
namespace {

template <class S>
struct LaneInteger {
  typedef int32_t type;
};
template <>
struct LaneInteger<double> {
  typedef int64_t type;
};

struct Pool {
  long batch, channels, height, width, stride, rows, columns;
  int threads;

  // sizes: batch, channels, height, width, stride, threads
  explicit Pool(const int64_t* sizes)
      : batch(sizes[0]), channels(sizes[1]), height(sizes[2]), width(sizes[3]), stride(sizes[4]),
        rows((height - 1) / stride + 1), columns((width - 1) / stride + 1), threads(static_cast<int>(sizes[5])) {}

  static long neighbours(long at, long size) { return 1 + (at > 0) + (at < size - 1); }
};

// One thread's rows, with one place more on both sides.
template <class S>
class PoolWork {
  typedef typename LaneInteger<S>::type Integer;

 public:
  explicit PoolWork(const Pool& pool)
      : pool(pool), largest(pool.width + 2, -std::numeric_limits<S>::infinity()), total(pool.width + 2, S(0)),
        row(pool.width + 2, 3), per_column(pool.columns) {
    for (long w = 0; w < pool.columns; w++) per_column[w] = S(1) / Pool::neighbours(w * pool.stride, pool.width);
  }

  void forward(const S* x, S* maximum, S* mean, uint8_t* place) {
    for (long h = 0; h < pool.rows; h++) {
      long at = h * pool.stride;
      down(x, at);
      S per_row = S(1) / Pool::neighbours(at, pool.height);
      long from = h * pool.columns;
      if (pool.stride == 1)
        across<1>(maximum + from, mean + from, place + from, per_row);
      else
        across<2>(maximum + from, mean + from, place + from, per_row);
    }
  }

 private:
  // Maximum, its row and sum of each column's three pixels around row `at`.
  void down(const S* x, long at) {
    long first = std::max(at - 1, 0L), last = std::min(at + 1, pool.height - 1);
    S* m = largest.data() + 1;
    S* s = total.data() + 1;
    Integer* r = row.data() + 1;
    for (long h = first; h <= last; h++) {
      const S* from = x + h * pool.width;
      Integer number = static_cast<Integer>(h - at + 1);
      if (h == first) {
#pragma omp simd
        for (long w = 0; w < pool.width; w++) {
          m[w] = from[w];
          s[w] = from[w];
          r[w] = number;
        }
        continue;
      }
#pragma omp simd
      for (long w = 0; w < pool.width; w++) {
        S v = from[w];
        bool is_larger = (v > m[w]) | (v != v);
        m[w] = is_larger ? v : m[w];
        r[w] = is_larger ? number : r[w];
        s[w] += v;
      }
    }
  }

  template <int STRIDE>
  void across(S* maximum, S* mean, uint8_t* place, S per_row) {
    const S* m = largest.data();
    const S* s = total.data();
    const Integer* r = row.data();
#pragma omp simd
    for (long w = 0; w < pool.columns; w++) {
      long at = w * STRIDE;
      S best = m[at];
      Integer of_row = r[at], of_column = 0;
      AUDIONAS_UNROLL
      for (int j = 1; j < 3; j++) {
        S v = m[at + j];
        Integer number = r[at + j];
        bool is_larger = (v > best) | (v != v) | ((v == best) & (number < of_row));
        best = is_larger ? v : best;
        of_row = is_larger ? number : of_row;
        of_column = is_larger ? Integer(j) : of_column;
      }
      maximum[w] = best;
      place[w] = static_cast<uint8_t>(of_row * 3 + of_column);
      mean[w] = (s[at] + s[at + 1] + s[at + 2]) * (per_row * per_column[w]);
    }
  }

  const Pool& pool;
  std::vector<S> largest, total;
  std::vector<Integer> row;
  std::vector<S> per_column;
};

// One thread's planes of gradients, with a row and a column more on both sides: 0, and the place of no pixel.
template <class S>
class PoolWorkBack {
  typedef typename LaneInteger<S>::type Integer;

 public:
  explicit PoolWorkBack(const Pool& pool)
      : pool(pool), pitch(pool.columns + 2), maximum(3 * pitch, S(0)), share(3 * pitch, S(0)), place(3 * pitch, 9),
        even(pool.columns + 1), odd(pool.columns + 1), per_column(pool.columns) {
    for (long w = 0; w < pool.columns; w++) per_column[w] = S(1) / Pool::neighbours(w * pool.stride, pool.width);
  }

  void backward(const S* dmaximum, const S* dmean, const uint8_t* places, S* dx) {
    if (pool.stride == 1) {
      take(dmaximum, dmean, places, -1);
      take(dmaximum, dmean, places, 0);
      for (long h = 0; h < pool.height; h++) {
        take(dmaximum, dmean, places, h + 1);
        spread(h, dx + h * pool.width);
      }
      return;
    }
    take(dmaximum, dmean, places, 0);
    for (long h = 0; h < pool.height; h += 2) {
      take(dmaximum, dmean, places, h / 2 + 1);
      spread_strided({{h / 2, 1}}, dx + h * pool.width);
      if (h + 1 < pool.height) spread_strided({{h / 2, 2}, {h / 2 + 1, 0}}, dx + (h + 1) * pool.width);
    }
  }

 private:
  struct Reader {
    long row;    // of the output
    int number;  // of the input's row among the three that it reads
  };

  long slot(long row) const { return (row + 3) % 3 * pitch; }

  // A row of the output's gradients into its slot.
  void take(const S* dmaximum, const S* dmean, const uint8_t* places, long h) {
    S* m = maximum.data() + slot(h) + 1;
    S* s = share.data() + slot(h) + 1;
    Integer* p = place.data() + slot(h) + 1;
    if (h < 0 || h >= pool.rows) {
      std::fill(m, m + pool.columns, S(0));
      std::fill(s, s + pool.columns, S(0));
      std::fill(p, p + pool.columns, Integer(9));
      return;
    }
    S per_row = S(1) / Pool::neighbours(h * pool.stride, pool.height);
    long from = h * pool.columns;
#pragma omp simd
    for (long w = 0; w < pool.columns; w++) {
      m[w] = dmaximum[from + w];
      s[w] = dmean[from + w] * (per_row * per_column[w]);
      p[w] = places[from + w];
    }
  }

  void spread(long h, S* dx) {
    const S* m[3];
    const S* s[3];
    const Integer* p[3];
    for (int i = 0; i < 3; i++) {  // output row h + 1 - i reads this one as its row i
      long at = slot(h + 1 - i);
      m[i] = maximum.data() + at;
      s[i] = share.data() + at;
      p[i] = place.data() + at;
    }
#pragma omp simd
    for (long w = 0; w < pool.width; w++) {
      S sum = 0;
      AUDIONAS_UNROLL
      for (int i = 0; i < 3; i++) {
        AUDIONAS_UNROLL
        for (int j = 0; j < 3; j++) {
          long at = w + 2 - j;
          sum += s[i][at] + (p[i][at] == Integer(i * 3 + j) ? m[i][at] : S(0));
        }
      }
      dx[w] = sum;
    }
  }

  // Even columns are read by one output column, odd ones by two.
  void spread_strided(std::initializer_list<Reader> readers, S* dx) {
    std::fill(even.begin(), even.end(), S(0));
    std::fill(odd.begin(), odd.end(), S(0));
    S* to_even = even.data();
    S* to_odd = odd.data();
    for (const Reader& reader : readers) {
      const S* m = maximum.data() + slot(reader.row) + 1;
      const S* s = share.data() + slot(reader.row) + 1;
      const Integer* p = place.data() + slot(reader.row) + 1;
      Integer left = static_cast<Integer>(reader.number * 3), middle = left + 1, right = left + 2;
#pragma omp simd
      for (long w = 0; w < pool.columns; w++) {
        to_even[w] += s[w] + (p[w] == middle ? m[w] : S(0));
        to_odd[w] += s[w] + (p[w] == right ? m[w] : S(0)) + s[w + 1] + (p[w + 1] == left ? m[w + 1] : S(0));
      }
    }
    for (long w = 0; w < pool.width; w++) dx[w] = (w & 1 ? to_odd : to_even)[w >> 1];
  }

  const Pool& pool;
  long pitch;
  std::vector<S> maximum, share;
  std::vector<Integer> place;
  std::vector<S> even, odd, per_column;
};

template <class S>
void pools(const Pool& pool, const S* x, int64_t x_stride, S* maximum, S* mean, uint8_t* place) {
  unsigned mode = DenormalMode::mode();
  long places = pool.rows * pool.columns;
#pragma omp parallel num_threads(pool.threads)
  {
    DenormalMode as_caller(mode);
    PoolWork<S> work(pool);
#pragma omp for schedule(static)
    for (long i = 0; i < pool.batch * pool.channels; i++) {
      const S* from = x + i / pool.channels * x_stride + i % pool.channels * pool.height * pool.width;
      work.forward(from, maximum + i * places, mean + i * places, place + i * places);
    }
  }
}

template <class S>
void pools_gradient(const Pool& pool, const S* dmaximum, const S* dmean, const uint8_t* place, S* dx) {
  unsigned mode = DenormalMode::mode();
  long places = pool.rows * pool.columns;
#pragma omp parallel num_threads(pool.threads)
  {
    DenormalMode as_caller(mode);
    PoolWorkBack<S> work(pool);
#pragma omp for schedule(static)
    for (long i = 0; i < pool.batch * pool.channels; i++)
      work.backward(
          dmaximum + i * places, dmean + i * places, place + i * places, dx + i * pool.height * pool.width);
  }
}

}  // namespace
}  // namespace audionas

#define AUDIONAS_POOLS(S)                                                                                   \
  AUDIONAS_EXPORT void audionas_pools_##S(                                                                  \
      const int64_t* sizes, const S* x, int64_t x_stride, S* maximum, S* mean, uint8_t* place) {            \
    audionas::pools<S>(audionas::Pool(sizes), x, x_stride, maximum, mean, place);                           \
  }                                                                                                         \
  AUDIONAS_EXPORT void audionas_pools_gradient_##S(                                                         \
      const int64_t* sizes, const S* dmaximum, const S* dmean, const uint8_t* place, S* dx) {               \
    audionas::pools_gradient<S>(audionas::Pool(sizes), dmaximum, dmean, place, dx);                         \
  }

AUDIONAS_POOLS(float)
AUDIONAS_POOLS(double)
