// Ridge regression: the weights w (J) and the intercept b that minimise
//
//   sum_i (x_i'w + b - y_i)^2 + ridge |w|^2
//
// The intercept is not penalised. With the means m and ybar of the samples that count,
//
//   (C + ridge I) w = sum_i (x_i - m)(y_i - ybar),   C = sum_i (x_i - m)(x_i - m)',   b = ybar -
//   w'm
//
// Two passes, in double: means, then products of what is left, which have lost no digits to a large
// mean. Each tile adds Z'Z with Z its rows (x - m, y - ybar), so that C, the right side and the sum
// of squares come out of one Gram matrix.
//
// The system is solved in the scale of its own diagonal: R = D^-1 (C + ridge I) D^-1 has ones
// there, and a pivot of R near the rounding error says that a regressor is a combination of others,
// whatever their units. Then as much is added to the diagonal of R as it takes, and told.
#pragma once

#include <Eigen/Cholesky>
#include <cmath>
#include <limits>

#include "pgfast/gram.hpp"

namespace pgfast {

struct RidgeOutcome {
  Index samples = 0;   // how many counted
  double damping = 0;  // added to the diagonal of R; 0 where the system was regular
};

// A reader of tiles of a reader of samples: read_one(i, x) gives false where sample i does not
// count; else it writes x (J) and then y.
template <class ReadOne>
auto by_samples(Index J, ReadOne read_one) {
  return [J, read_one](Index first, Index last, double* rows) {
    Index count = 0;
    for (Index i = first; i < last; ++i) count += read_one(i, rows + count * (J + 1));
    return count;
  };
}

namespace detail {

// The samples of [begin, end) that count, in tiles: f(rows, their number), a row being (x, y).
template <class Read, class F>
void for_each_regression_tile(Index begin, Index end, Index width, Read&& read, F&& f) {
  Buffer<double> rows(tile_rows * width);
  for (Index first = begin; first < end; first += tile_rows) {
    f(rows.data(), read(first, std::min(end, first + tile_rows), rows.data()));
  }
}

// sum (width) += the sum of rows (count, width), each column in the order of the rows; 16 columns
// at a time stay in registers.
inline void add_rows(const double* rows, Index count, Index width, double* sum) {
  constexpr Index columns = 16;
  Index j = 0;
  for (; j + columns <= width; j += columns) {
    double part[columns];
    std::copy_n(sum + j, columns, part);
    for (Index r = 0; r < count; ++r) {
      for (Index k = 0; k < columns; ++k) part[k] += rows[r * width + j + k];
    }
    std::copy_n(part, columns, sum + j);
  }
  for (Index r = 0; r < count; ++r) {
    for (Index k = j; k < width; ++k) sum[k] += rows[r * width + k];
  }
}

// x with (C + ridge I) x = c, C symmetric; the damping that it took. NaN comes out where it went
// in.
inline double solve_symmetric(Eigen::MatrixXd& C, const Eigen::VectorXd& c, double ridge,
                              Eigen::VectorXd& x) {
  const Index J = c.size();
  C.diagonal().array() += ridge;
  Eigen::VectorXd scale(J);
  for (Index j = 0; j < J; ++j) scale[j] = C(j, j) == 0 ? 1 : 1 / std::sqrt(C(j, j));
  for (Index j = 0; j < J; ++j) {
    for (Index i = 0; i < J; ++i) C(i, j) *= scale[i] * scale[j];
  }
  const double least = 16 * static_cast<double>(J) * std::numeric_limits<double>::epsilon();
  double damping = 0;
  for (double more = 4 * least;; more *= 10) {
    const Eigen::LDLT<Eigen::MatrixXd> solver(C);
    if (solver.vectorD().minCoeff() > least || !(more < 1)) {
      x = solver.solve(c.cwiseProduct(scale)).cwiseProduct(scale);
      return damping;
    }
    C.diagonal().array() += more - damping;
    damping = more;
  }
}

}  // namespace detail

// w, then b, into `weights` (J + 1); they are left alone where no sample counts. make_reader()
// gives the `read` of one block, with its own work memory: read(first, last, rows) writes the rows
// (x, y) of the samples in [first, last) that count, at most `tile_rows` of them, and gives their
// number.
template <class MakeReader>
RidgeOutcome ridge_regression(Index batch, Index J, double ridge, MakeReader&& make_reader,
                              double* weights) {
  const Index width = J + 1;
  Buffer<double> sums(width + 1);
  const auto read_ns = static_cast<double>(10 + width);
  const double product_ns = read_ns + static_cast<double>(width * width) / 32;
  sum_over_blocks(batch, read_ns, width + 1, sums.data(), [&](Index begin, Index end, double* sum) {
    detail::for_each_regression_tile(begin, end, width, make_reader(),
                                     [&](const double* rows, Index count) {
                                       detail::add_rows(rows, count, width, sum);
                                       sum[width] += static_cast<double>(count);
                                     });
  });
  RidgeOutcome outcome{static_cast<Index>(sums[width]), 0};
  if (outcome.samples == 0) return outcome;
  const Buffer<double> mean = sums.head(width) / sums[width];

  Buffer<double> products(width * width);
  sum_over_blocks(batch, product_ns, width * width, products.data(),
                  [&](Index begin, Index end, double* sum) {
                    Buffer<double> centred(tile_rows * width);
                    detail::for_each_regression_tile(
                        begin, end, width, make_reader(), [&](const double* rows, Index count) {
                          for (Index r = 0; r < count; ++r) {
                            for (Index j = 0; j < width; ++j) {
                              centred[r * width + j] = rows[r * width + j] - mean[j];
                            }
                          }
                          detail::add_gram(centred.data(), centred.data(), count, width, sum);
                        });
                  });
  detail::mirror_lower(products.data(), width);
  const Eigen::Map<const Eigen::MatrixXd> all(products.data(), width, width);
  Eigen::MatrixXd C = all.topLeftCorner(J, J);
  Eigen::VectorXd c = all.col(J).head(J), w(J);
  for (Index j = 0; j < J; ++j) {
    // What varies by no more than its mean is rounded is constant, and has no weight.
    const double rounding = sums[width] * std::numeric_limits<double>::epsilon() * mean[j];
    if (C(j, j) > sums[width] * rounding * rounding || std::isnan(C(j, j))) continue;
    C.row(j).setZero();
    C.col(j).setZero();
    c[j] = 0;
  }
  outcome.damping = detail::solve_symmetric(C, c, ridge, w);
  std::copy_n(w.data(), J, weights);
  weights[J] = mean[J] - (w.array() * mean.head(J)).sum();
  return outcome;
}

}  // namespace pgfast
