// ReLU (after BN without affine parameters), depthwise and pointwise convolution, of all groups out of one state.
//
// What is kept for the gradient is the input alone: padded planes and depthwise outputs are made again while they fit
// the cache. Every sum over the batch is taken in the order of the samples, whatever the number of threads.
#include <cmath>

#include "moments.h"
#include "planes.h"
#include "pointwise.h"

namespace audionas {
namespace {

constexpr long BAND_BYTES = 32768;  // of depthwise outputs at a time: about a first-level cache

// What a call is about. Inputs: 1 (all groups share it) or as many as groups.
template <class S>
struct Call {
  long batch, groups, inputs, channels;
  int threads;
  std::vector<Taps> taps;
  std::vector<std::vector<Piece<S>>> pieces;
  Grid grid;
  const S* const* x;
  const int64_t* x_strides;
  const S* const* filters;
  const S* const* pointwise;
  std::vector<S> mean, rstd;  // (inputs, channels); 0 and 1 where nothing is normalised
  bool normalise;

  // sizes: batch, groups, inputs, channels, height, width, stride, threads
  Call(
      const int64_t* sizes, const int32_t* of_taps, const S* const* x_, const int64_t* x_strides_,
      const S* const* filters_, const S* const* pointwise_, const double* mean_, const double* variance, double eps)
      : batch(sizes[0]), groups(sizes[1]), inputs(sizes[2]), channels(sizes[3]), threads(static_cast<int>(sizes[7])),
        taps(taps_of(of_taps, sizes[1])), pieces(pieces_of_all(taps, static_cast<int>(sizes[6]))),
        grid(sizes[4], sizes[5], sizes[6], pieces), x(x_), x_strides(x_strides_), filters(filters_),
        pointwise(pointwise_), mean(inputs * channels, S(0)), rstd(inputs * channels, S(1)),
        normalise(mean_ != nullptr) {
    for (long i = 0; normalise && i < inputs * channels; i++) {
      mean[i] = static_cast<S>(mean_[i]);
      rstd[i] = static_cast<S>(1 / std::sqrt(variance[i] + eps));
    }
  }

  static std::vector<Taps> taps_of(const int32_t* t, long n) {
    std::vector<Taps> found;
    for (long g = 0; g < n; g++, t += 6) found.push_back({t[0], t[1], t[2], t[3], t[4], t[5]});
    return found;
  }

  static std::vector<std::vector<Piece<S>>> pieces_of_all(const std::vector<Taps>& taps, int stride) {
    std::vector<std::vector<Piece<S>>> found;
    for (const Taps& each : taps) found.push_back(pieces_of_kernel<S>(each, stride));
    return found;
  }

  long places_in() const { return grid.height * grid.width; }
  long places_out() const { return grid.rows * grid.columns; }
  long kernel_size(long g) const { return static_cast<long>(taps[g].height) * taps[g].width; }
  const S* input(long n, long i, long c) const { return x[i] + n * x_strides[i] + c * places_in(); }

  // Rows of the output that are made at a time for a group: whole blocks.
  long band(long g) const {
    long block = 0;
    for (const auto& piece : pieces[g]) block = std::max<long>(block, BLOCK * piece.rows.apart);
    long fit = BAND_BYTES / static_cast<long>(channels * grid.pitch * sizeof(S));
    return std::max<long>(1, fit / block) * block;
  }

  long largest_band() const {
    long found = 0;
    for (long g = 0; g < groups; g++) found = std::max(found, band(g));
    return found;
  }
};

// Planes of one thread, all of them channels long.
template <class S>
class Work {
 public:
  explicit Work(const Call<S>& call)
      : call(call), grid(call.grid), band_plane((call.largest_band() + grid.spare) * grid.pitch + lanes<S>),
        depthwise(own(0).zeros(call.channels * band_plane)),
        input(own(1).zeros(call.channels * grid.phases * grid.plane)) {}

  // The planes that input i of sample n makes.
  void fill_input(long n, long i) {
    for (long c = 0; c < call.channels; c++) {
      long k = i * call.channels + c;
      fill(grid, call.input(n, i, c), call.mean[k], call.rstd[k], input + c * grid.phases * grid.plane);
    }
  }

  // Depthwise outputs of group g for `count` rows from `top` on.
  void make_depthwise(long g, long top, long count) {
    S kernel[25];
    for (long c = 0; c < call.channels; c++) {
      bool is_first = true;
      for (const auto& piece : call.pieces[g]) {
        piece.gather(call.filters[g] + c * call.kernel_size(g), kernel, false);
        (is_first ? piece.stencil.put : piece.stencil.add)(
            place(piece, c) + top * grid.pitch, kernel, depthwise + c * band_plane, grid.pitch, piece.rows.apart,
            piece.columns.apart, count, grid.vectors);
        is_first = false;
      }
    }
  }

  // Where the first tap of a piece reads for the first output.
  const S* place(const Piece<S>& piece, long c) const {
    const S* plane = input + (c * grid.phases + piece.phase) * grid.plane + grid.origin;
    return plane + piece.rows.from * grid.pitch + piece.columns.from;
  }

  // `found`: of each channel, joined with those of other samples by whoever calls.
  void forward(long g, S* z, Moments* found) {
    long band = call.band(g), places = call.places_out();
    std::vector<LaneSums<S>> sums(call.channels);
    for (long top = 0; top < grid.rows; top += band) {
      long count = std::min(band, grid.rows - top);
      make_depthwise(g, top, count);
      std::fill(sums.begin(), sums.end(), LaneSums<S>{});
      for (long h = top; h < top + count; h++)
        pointwise<S, true>(
            call.pointwise[g], call.channels, 1, static_cast<int>(call.channels), depthwise + (h - top) * grid.pitch,
            band_plane, z + h * grid.columns, places, grid.columns, (grid.rows - 1 - h) * grid.columns >= lanes<S>,
            sums.data());
      for (long c = 0; c < call.channels; c++) found[c].join_sums<S>(count * grid.columns, sums[c].sum, sums[c].squares);
    }
  }

  static Scratch<S>& own(int k) {
    static thread_local Scratch<S> of_thread[5];
    return of_thread[k];
  }

  const Call<S>& call;
  const Grid& grid;
  long band_plane;
  S* depthwise;
  S* input;
};

// What is wanted of the gradients; null pointers are not.
template <class S>
struct Gradients {
  S* const* x;
  S* const* filters;
  S* const* pointwise;
};

// The same thread's planes of gradients.
template <class S>
class WorkBack : public Work<S> {
 public:
  using Work<S>::call, Work<S>::grid, Work<S>::band_plane, Work<S>::own;

  WorkBack(const Call<S>& call)
      : Work<S>(call), received(own(2).grown(call.channels * band_plane)),
        of_depthwise(own(3).zeros(call.channels * grid.plane)),
        of_input(own(4).grown(call.channels * grid.phases * grid.open_plane)) {}

  // Of group g: dz (channels, rows, columns) of one sample; adds to the kernels' gradients and to those of the input.
  void backward(long g, const S* dz, S* dfilters, S* dpointwise, bool is_input_wanted) {
    long band = call.band(g);
    int channels = static_cast<int>(call.channels);
    for (long top = 0; top < grid.rows; top += band) {
      long count = std::min(band, grid.rows - top);
      receive(dz, top, count);
      if (dpointwise != nullptr) {
        this->make_depthwise(g, top, count);
        products(received, this->depthwise, dpointwise, channels, band_plane, grid.pitch, count, grid.vectors);
      }
      for (long h = 0; h < count && (dfilters != nullptr || is_input_wanted); h++)
        pointwise<S, false>(
            call.pointwise[g], 1, channels, channels, received + h * grid.pitch, band_plane,
            of_depthwise + grid.origin + (top + h) * grid.pitch, grid.plane, grid.columns, true, nullptr);
    }
    for (long c = 0; c < channels; c++) {
      if (dfilters != nullptr) add_filter_gradient(g, c, dfilters);
      if (is_input_wanted) add_input_gradient(g, c);
    }
  }

  void start_input() { std::fill(is_begun, is_begun + 4, false); }

  // The gradient of input i of sample n through ReLU; `dots` (channels, 2): its sum, and that of it times the
  // normalised input.
  void finish_input(long n, long i, S* dx, double* dots) {
    for (long phase = 0; phase < grid.phases; phase++)
      for (long c = 0; c < call.channels && !is_begun[phase]; c++) {
        S* plane = of_input + (c * grid.phases + phase) * grid.open_plane;
        std::fill(plane, plane + grid.open_plane, S(0));
      }
    for (long c = 0; c < call.channels; c++)
      for (long h = 0; h < grid.height; h++) finish_row(n, i, c, h, dx + (c * grid.height + h) * grid.width, dots + 2 * c);
  }

 private:
  // Rows of dz, with zeros up to whole vectors.
  void receive(const S* dz, long top, long count) {
    long columns = grid.columns, whole = columns / lanes<S> * lanes<S>;
    for (long c = 0; c < call.channels; c++)
      for (long h = 0; h < count; h++) {
        const S* from = dz + (c * grid.rows + top + h) * columns;
        S* to = received + c * band_plane + h * grid.pitch;
        for (long f = 0; f < whole; f += lanes<S>) store(to + f, load(from + f));
        if (whole == columns) continue;
        store(to + whole, Vector<S>{});
        for (long f = whole; f < columns; f++) to[f] = from[f];
      }
  }

  void add_filter_gradient(long g, long c, S* dfilters) {
    for (const auto& piece : call.pieces[g]) {
      S own_taps[25] = {};
      piece.stencil.gradient(
          this->place(piece, c), of_depthwise + c * grid.plane + grid.origin, own_taps, grid.pitch, piece.rows.apart,
          piece.columns.apart, grid.rows, grid.vectors);
      for (size_t t = 0; t < piece.taps.size(); t++) dfilters[c * call.kernel_size(g) + piece.taps[t]] += own_taps[t];
    }
  }

  void add_input_gradient(long g, long c) {
    S kernel[25];
    bool begun[4];
    std::copy(is_begun, is_begun + 4, begun);
    for (const auto& piece : call.pieces[g]) {
      piece.gather(call.filters[g] + c * call.kernel_size(g), kernel, true);
      long row = piece.rows.from + (piece.rows.count - 1) * piece.rows.apart;
      long column = piece.columns.from + (piece.columns.count - 1) * piece.columns.apart;
      const S* from = of_depthwise + c * grid.plane + grid.origin - row * grid.pitch - column;
      (begun[piece.phase] ? piece.stencil.add : piece.stencil.put)(
          from, kernel, of_input + (c * grid.phases + piece.phase) * grid.open_plane, grid.pitch, piece.rows.apart,
          piece.columns.apart, grid.rows, grid.vectors);
      begun[piece.phase] = true;
    }
    if (c == call.channels - 1) std::copy(begun, begun + 4, is_begun);
  }

  void finish_row(long n, long i, long c, long h, S* dx, double* dots) {
    const S* x = call.input(n, i, c) + h * grid.width;
    long k = i * call.channels + c, stride = grid.stride;
    S mean = call.mean[k], rstd = call.rstd[k];
    const S* even = of_input + (c * grid.phases + (stride == 2 ? (h & 1) * 2 : 0)) * grid.open_plane + h / stride * grid.pitch;
    if (stride == 2) {
      const S* odd = even + grid.open_plane;
      long pairs = grid.width / 2;
#pragma omp simd
      for (long w = 0; w < pairs; w++) {
        dx[2 * w] = even[w];
        dx[2 * w + 1] = odd[w];
      }
      if (grid.width % 2 == 1) dx[grid.width - 1] = even[pairs];
      even = dx;
    }
    for (long from = 0; from < grid.width; from += CHUNK) {
      long to = std::min(grid.width, from + CHUNK);
      S sum = 0, product = 0;
#pragma omp simd reduction(+ : sum, product)
      for (long w = from; w < to; w++) {
        S v = (x[w] - mean) * rstd;
        S d = v <= 0 ? S(0) : even[w];
        dx[w] = d;
        sum += d;
        product += d * v;
      }
      dots[0] += sum;
      dots[1] += product;
    }
  }

  S* received;
  S* of_depthwise;
  S* of_input;
  bool is_begun[4] = {};
};

// of_mean, of_variance (groups, channels): of the values, over batch and places.
template <class S>
void forward(const Call<S>& call, S* const* z, double* of_mean, double* of_variance) {
  unsigned mode = DenormalMode::mode();
  long size = call.channels * call.places_out(), together = call.groups / call.inputs;
  long n_moments = call.groups * call.channels;
  std::vector<Moments> of_samples(call.batch * n_moments);
#pragma omp parallel num_threads(call.threads)
  {
    DenormalMode as_caller(mode);
    Work<S> work(call);
#pragma omp for schedule(static)
    for (long k = 0; k < call.batch * call.inputs; k++) {
      long n = k / call.inputs, i = k % call.inputs;
      work.fill_input(n, i);
      for (long g = i * together; g < (i + 1) * together; g++)
        work.forward(g, z[g] + n * size, &of_samples[n * n_moments + g * call.channels]);
    }
  }
  for (long k = 0; k < n_moments; k++) {
    Moments all;
    for (long n = 0; n < call.batch; n++) all.join(of_samples[n * n_moments + k]);
    of_mean[k] = all.mean;
    of_variance[k] = all.squares / all.n;
  }
}

// BN's gradient: dx is that of the normalised input, and becomes that of the input.
template <class S>
void through_normalisation(const Call<S>& call, const std::vector<double>& dots, S* const* dx) {
  unsigned mode = DenormalMode::mode();
  long places = call.places_in(), per_input = call.channels;
  double count = static_cast<double>(call.batch) * places;
  std::vector<double> sums(call.inputs * per_input * 2, 0.0);
  for (long n = 0; n < call.batch; n++)
    for (size_t k = 0; k < sums.size(); k++) sums[k] += dots[n * sums.size() + k] / count;
#pragma omp parallel for num_threads(call.threads) schedule(static)
  for (long k = 0; k < call.batch * call.inputs * per_input; k++) {
    DenormalMode as_caller(mode);
    long c = k % per_input, i = k / per_input % call.inputs, n = k / per_input / call.inputs;
    if (dx[i] == nullptr) continue;
    long of = i * per_input + c;
    S mean = call.mean[of], rstd = call.rstd[of];
    S by_sum = static_cast<S>(sums[2 * of]), by_product = static_cast<S>(sums[2 * of + 1]);
    const S* x = call.input(n, i, c);
    S* d = dx[i] + (n * per_input + c) * places;
#pragma omp simd
    for (long f = 0; f < places; f++) d[f] = rstd * (d[f] - by_sum - (x[f] - mean) * rstd * by_product);
  }
}

template <class S>
void backward(const Call<S>& call, const S* const* dz, const int64_t* dz_strides, const Gradients<S>& wanted) {
  unsigned mode = DenormalMode::mode();
  long together = call.groups / call.inputs, square = call.channels * call.channels;
  std::vector<long> start(call.groups + 1, 0);  // of each group in a sample's gradients: filters, then pointwise
  for (long g = 0; g < call.groups; g++) start[g + 1] = start[g] + call.channels * call.kernel_size(g) + square;
  long per_sample = start[call.groups];
  std::vector<S> of_samples(call.batch * per_sample, S(0));
  std::vector<double> dots(call.batch * call.inputs * call.channels * 2, 0.0);
#pragma omp parallel num_threads(call.threads)
  {
    DenormalMode as_caller(mode);
    WorkBack<S> work(call);
#pragma omp for schedule(static)
    for (long k = 0; k < call.batch * call.inputs; k++) {
      long n = k / call.inputs, i = k % call.inputs;
      work.fill_input(n, i);
      work.start_input();
      for (long g = i * together; g < (i + 1) * together; g++) {
        S* own = of_samples.data() + n * per_sample + start[g];
        work.backward(
            g, dz[g] + n * dz_strides[g], wanted.filters[g] ? own : nullptr,
            wanted.pointwise[g] ? own + call.channels * call.kernel_size(g) : nullptr, wanted.x[i] != nullptr);
      }
      if (wanted.x[i] != nullptr)
        work.finish_input(n, i, wanted.x[i] + n * call.channels * call.places_in(), &dots[k * call.channels * 2]);
    }
  }
  for (long g = 0; g < call.groups; g++) {
    long filters = call.channels * call.kernel_size(g);
    for (long t = 0; t < filters + square; t++) {
      double sum = 0;
      for (long n = 0; n < call.batch; n++) sum += of_samples[n * per_sample + start[g] + t];
      S* to = t < filters ? wanted.filters[g] : wanted.pointwise[g];
      if (to != nullptr) to[t < filters ? t : t - filters] = static_cast<S>(sum);
    }
  }
  if (call.normalise) through_normalisation(call, dots, wanted.x);
}

}  // namespace
}  // namespace audionas

#define AUDIONAS_DEPTHWISE_POINTWISE(S, NAME)                                                                        \
  AUDIONAS_EXPORT void audionas_depthwise_pointwise_##NAME(                                                          \
      const int64_t* sizes, const int32_t* taps, const S* const* x, const int64_t* x_strides,                        \
      const S* const* filters, const S* const* pointwise, const double* mean, const double* variance, double eps,    \
      S* const* z, double* of_mean, double* of_variance) {                                                           \
    audionas::Call<S> call(sizes, taps, x, x_strides, filters, pointwise, mean, variance, eps);                      \
    audionas::forward(call, z, of_mean, of_variance);                                                                \
  }                                                                                                                  \
  AUDIONAS_EXPORT void audionas_depthwise_pointwise_gradient_##NAME(                                                 \
      const int64_t* sizes, const int32_t* taps, const S* const* x, const int64_t* x_strides,                        \
      const S* const* filters, const S* const* pointwise, const double* mean, const double* variance, double eps,    \
      const S* const* dz, const int64_t* dz_strides, S* const* dx, S* const* dfilters, S* const* dpointwise) {       \
    audionas::Call<S> call(sizes, taps, x, x_strides, filters, pointwise, mean, variance, eps);                      \
    audionas::backward(call, dz, dz_strides, audionas::Gradients<S>{dx, dfilters, dpointwise});                      \
  }

AUDIONAS_DEPTHWISE_POINTWISE(float, float)
AUDIONAS_DEPTHWISE_POINTWISE(double, double)
