// Gradients of a recipe's weights and biases over many rows, from the gradients of its linear nodes.
#pragma once
#include <cstdint>

#include "recipe_product.h"

namespace audionas {

constexpr long PANELS_AT_ONCE = 8;
constexpr long ROWS_OF_A_SUM = 384;  // what two products read of so many rows stays in a second-level cache; 256 and 480 took longer

// Values (rows, width) that linear nodes read. Row r is at `at` + index[r] * width, or, without an index, the r-th.
struct Source {
  const void* at;
  const int64_t* index;
  int64_t width, n_products;
};

// The gradient of a weight, (hidden, width of the source), of the linear node in block `slot`.
struct Target {
  int64_t slot;
  void* at;
};

template <class S>
class Sums {
 public:
  Sums(long n_rows, long hidden, long n_slots, int threads, const S* linear, S* packed, S* panels)
      : n_rows_(n_rows), hidden_(hidden), n_slots_(n_slots), threads_(threads), linear_(linear), packed_(packed), panels_(panels) {}

  // Weights' gradients are set, or added to if `adds`; those of biases, (slots, hidden), are added to.
  void add(const Source* sources, long n_sources, const Target* targets, S* biases, bool adds) const {
    for (long first = 0; first < n_rows_; first += ROWS_OF_A_SUM) {
      long depth = n_rows_ - first < ROWS_OF_A_SUM ? n_rows_ - first : ROWS_OF_A_SUM;
#pragma omp parallel for num_threads(threads_) schedule(static) if (threads_ > 1)
      for (long slot = 0; slot < n_slots_; slot++) pack_slot(slot, first, depth, biases + slot * hidden_);
      const Target* of_source = targets;
      for (long i = 0; i < n_sources; of_source += sources[i++].n_products) add_source(sources[i], of_source, first, depth, adds || first);
    }
  }

 private:
  long blocks() const { return (hidden_ + ROWS_AT_ONCE - 1) / ROWS_AT_ONCE; }
  S* packed(long slot) const { return packed_ + slot * ROWS_OF_A_SUM * hidden_; }

  // Some rows of a slot's gradients as `tile` reads packed ones, for each block of columns; and their sum.
  void pack_slot(long slot, long first, long depth, S* of_bias) const {
    constexpr long SOME = 16;
    const S* rows = linear_ + (slot * n_rows_ + first) * hidden_;
    for (long k = 0; k < depth; k += SOME) {
      long n = depth - k < SOME ? depth - k : SOME;
      for (long r = k; r < k + n; r++)
        for (long j = 0; j < hidden_; j++) of_bias[j] += rows[r * hidden_ + j];
      for (long q = 0; q < blocks(); q++) {
        long i = hidden_ * q / blocks(), width = hidden_ * (q + 1) / blocks() - i;
        copy_columns(width, n, rows + k * hidden_ + i, packed(slot) + i * depth + k * width);
      }
    }
  }

  template <int WIDTH = ROWS_AT_ONCE>
  void copy_columns(long width, long n, const S* from, S* to) const {
    if constexpr (WIDTH > 1)
      if (width < WIDTH) return copy_columns<WIDTH - 1>(width, n, from, to);
    for (long r = 0; r < n; r++) memcpy(to + r * WIDTH, from + r * hidden_, WIDTH * sizeof(S));
  }

  // Threads share out the source's columns: each number is one thread's, whatever their number.
  void add_source(const Source& source, const Target* targets, long first, long depth, bool adds) const {
    long n_panels = (source.width + PANEL<S> - 1) / PANEL<S>;
#pragma omp parallel for num_threads(threads_) schedule(static) if (threads_ > 1)
    for (int thread = 0; thread < threads_; thread++) {
      DenormalMode flushed(~0u);
      S* panels = panels_ + thread * PANELS_AT_ONCE * ROWS_OF_A_SUM * PANEL<S>;
      long end = n_panels * (thread + 1) / threads_;
      for (long p = n_panels * thread / threads_; p < end; p += PANELS_AT_ONCE) {
        long begin = p * PANEL<S>, last = (end - p < PANELS_AT_ONCE ? end : p + PANELS_AT_ONCE) * PANEL<S>;
        if (last > source.width) last = source.width;
        pack_panels(source, first, depth, begin, last, panels);
        for (long i = 0; i < source.n_products; i++)
          for (long column = begin; column < last; column += PANEL<S>)
            add_columns(targets[i], source.width, depth, column, last, panels + (column - begin) * depth, adds);
      }
    }
  }

  void pack_panels(const Source& source, long first, long depth, long begin, long end, S* panels) const {
    auto row = [&](long r) { return static_cast<const S*>(source.at) + (source.index ? source.index[r] : r) * source.width; };
    for (long r = 0; r < depth; r++) {
      const S *from = row(first + r), *ahead = row(first + r + 4 < n_rows_ ? first + r + 4 : first + r);
      for (long column = begin; column < end; column += LANES<S>) __builtin_prefetch(ahead + column, 0, 2);
      for (long column = begin; column < end; column += PANEL<S>) {
        S* to = panels + (column - begin) * depth + r * PANEL<S>;
        if (column + PANEL<S> <= end) memcpy(to, from + column, PANEL<S> * sizeof(S));
        else memset(to, 0, PANEL<S> * sizeof(S)), memcpy(to, from + column, (end - column) * sizeof(S));
      }
    }
  }

  void add_columns(const Target& target, long width, long depth, long column, long last, const S* panel, bool adds) const {
    long columns = last - column < PANEL<S> ? last - column : PANEL<S>;
    for (long q = 0; q < blocks(); q++) {
      long i = hidden_ * q / blocks(), end = hidden_ * (q + 1) / blocks();
      S* to = static_cast<S*>(target.at) + i * width + column;
      const S *a = packed(target.slot) + i * depth, *ahead = a + (end - i) * depth;
      fitting_tile<S, true>(end - i, depth, a, 0L, panel, Base<S>{adds ? to : nullptr, width}, to, width, columns, ahead);
    }
  }

  const long n_rows_, hidden_, n_slots_;
  const int threads_;
  const S* linear_;
  S *packed_, *panels_;
};

}  // namespace audionas
