// Planes with zeros around them, and how a kernel with dilation and stride reads them.
//
// With stride 2 the input is split into four planes, by even and odd rows and columns: each has the output's size, and
// a strided convolution is a sum of plain ones on those planes. So all that follows knows stride 1 only.
#pragma once
#include <vector>

#include "stencil.h"

namespace audionas {

// Taps of one axis that read the same plane: tap first + i * step reads at from + i * apart.
struct Run {
  int first, step, count, phase, from, apart;
};

inline std::vector<Run> runs_of(int size, int dilation, int before, int stride) {
  if (stride == 1) return {{0, 1, size, 0, -before, dilation}};
  int n_runs = dilation % 2 == 0 ? 1 : std::min(2, size), step = n_runs;
  std::vector<Run> runs;
  for (int first = 0; first < n_runs; first++) {
    int at = first * dilation - before, phase = ((at % 2) + 2) % 2;
    int apart = dilation % 2 == 0 ? dilation / 2 : dilation;
    runs.push_back({first, step, (size - first + step - 1) / step, phase, (at - phase) / 2, apart});
  }
  return runs;
}

// The run in pieces of sizes that there are stencils for; `other` is the size along the other axis.
inline std::vector<Run> pieces_of(const Run& run, int other) {
  std::vector<Run> pieces;
  for (int done = 0; done < run.count;) {
    int left = run.count - done, take = left == 4 || other == 1 ? std::min(2, left) : std::min(3, left);
    if (left == 5 && done == 0 && other == 5) take = 5;
    pieces.push_back({run.first + done * run.step, run.step, take, run.phase, run.from + done * run.apart, run.apart});
    done += take;
  }
  return pieces;
}

// A dense piece of a kernel: its place on a plane, and which taps of the kernel it is made of.
template <class S>
struct Piece {
  Run rows, columns;
  int phase;
  std::vector<int> taps;
  Stencil<S> stencil;

  void gather(const S* kernel, S* own, bool flipped) const {
    int n = static_cast<int>(taps.size());
    for (int t = 0; t < n; t++) own[flipped ? n - 1 - t : t] = kernel[taps[t]];
  }
};

struct Taps {
  int height, width, dilation_rows, dilation_columns, before_rows, before_columns;
};

template <class S>
std::vector<Piece<S>> pieces_of_kernel(const Taps& taps, int stride) {
  std::vector<Piece<S>> pieces;
  for (const Run& run : runs_of(taps.height, taps.dilation_rows, taps.before_rows, stride))
    for (const Run& across : runs_of(taps.width, taps.dilation_columns, taps.before_columns, stride))
      for (const Run& rows : pieces_of(run, across.count))
        for (const Run& columns : pieces_of(across, run.count)) {
          Piece<S> piece{rows, columns, rows.phase * 2 + columns.phase, {}, stencil_for<S>(rows.count, columns.count)};
          for (int i = 0; i < rows.count; i++)
            for (int j = 0; j < columns.count; j++)
              piece.taps.push_back((rows.first + i * rows.step) * taps.width + columns.first + j * columns.step);
          pieces.push_back(piece);
        }
  return pieces;
}

// Sizes of the planes that all groups of a call share.
struct Grid {
  long height, width, stride, rows, columns, phases;
  long above = 0, beside = 0, spare = 0;  // rows and columns of zeros around a plane, rows that a block may overrun
  long pitch, vectors, origin, plane, open_plane;

  template <class S>
  Grid(long h, long w, long s, const std::vector<std::vector<Piece<S>>>& kernels)
      : height(h), width(w), stride(s), rows((h - 1) / s + 1), columns((w - 1) / s + 1), phases(s * s) {
    for (const auto& pieces : kernels)
      for (const auto& piece : pieces) {
        above = std::max({above, reach(piece.rows), static_cast<long>((piece.rows.count - 1) * piece.rows.apart)});
        beside = std::max(beside, reach(piece.columns));
        spare = std::max<long>(spare, BLOCK * piece.rows.apart);
      }
    pitch = rounded_up<S>(columns + beside);
    vectors = rounded_up<S>(columns) / lanes<S>;
    origin = rounded_up<S>(beside) + above * pitch;
    plane = origin + (rows + above + spare) * pitch + rounded_up<S>(beside) + 2 * lanes<S>;
    open_plane = (rows + spare) * pitch;
  }

  static long reach(const Run& run) {
    long last = run.from + (run.count - 1) * run.apart;
    return std::max(std::labs(run.from), std::labs(last));
  }
};

// A channel's values, after BN (mean, rstd) and ReLU, into its planes; their zeros around are there already.
template <class S>
void fill(const Grid& grid, const S* x, S mean, S rstd, S* planes) {
  for (long h = 0; h < grid.height; h++) {
    const S* from = x + h * grid.width;
    if (grid.stride == 1) {
      S* to = planes + grid.origin + h * grid.pitch;
#pragma omp simd
      for (long w = 0; w < grid.width; w++) {
        S v = (from[w] - mean) * rstd;
        to[w] = v < 0 ? S(0) : v;  // NaN stays
      }
      continue;
    }
    S* even = planes + (h & 1) * 2 * grid.plane + grid.origin + (h >> 1) * grid.pitch;
    S* odd = even + grid.plane;
    long pairs = grid.width / 2;
#pragma omp simd
    for (long w = 0; w < pairs; w++) {
      S left = (from[2 * w] - mean) * rstd, right = (from[2 * w + 1] - mean) * rstd;
      even[w] = left < 0 ? S(0) : left;
      odd[w] = right < 0 ? S(0) : right;
    }
    if (grid.width % 2 == 0) continue;
    S last = (from[grid.width - 1] - mean) * rstd;
    even[pairs] = last < 0 ? S(0) : last;
  }
}

}  // namespace audionas
