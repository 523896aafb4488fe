#include <limits>

#include "check.hpp"
#include "pgfast/networks/product.hpp"

namespace pgfast {
namespace {

using check::Array;

constexpr Index odd_sizes[] = {0, 1, 2, 3, 5, 8, 17, 33, 70, 134};

// C = init + A B, A (rows, K) row-major or, transposed, column-major.
template <class S>
struct Problem {
  Index rows, columns, K;
  bool transposed;
  Array<S> a, b, init;

  Problem(Index r, Index c, Index k, bool t)
      : rows(r),
        columns(c),
        K(k),
        transposed(t),
        a(check::normals<S>(r * k, 1)),
        b(check::normals<S>(k * c, 2)),
        init(check::normals<S>(r * c, 3)) {}

  Strided<S> left(Index row = 0) const {
    return transposed ? Strided<S>{a.data() + row, 1, rows} : Strided<S>{a.data() + row * K, K, 1};
  }
  S left(Index r, Index k) const { return transposed ? a[k * rows + r] : a[r * K + k]; }

  Array<S> multiply(Initial<S> from) const {
    Array<S> c(rows * columns);
    product(left(), b.data(), from, c.data(), rows, columns, K);
    return c;
  }
};

template <class S, class F>
void for_each_problem(F&& f) {
  for (const bool transposed : {false, true}) {
    for (const Index rows : odd_sizes) {
      for (const Index columns : odd_sizes) {
        for (const Index K : {0, 1, 4, 33}) {
          CONTEXT(rows << " x " << K << " x " << columns << (transposed ? ", transposed" : ""));
          f(Problem<S>(rows, columns, K, transposed));
        }
      }
    }
  }
}

TEST(sum_of_products, "C is what C starts from plus A B, for all sizes and both strides of A.") {
  check::for_each_scalar([]<class S>() {
    for_each_problem<S>([](const Problem<S>& p) {
      const auto check = [&](const Array<S>& c, auto init) {
        for (Index r = 0; r < p.rows; ++r) {
          for (Index o = 0; o < p.columns; ++o) {
            long double sum = init(r, o), magnitude = std::abs(sum);
            for (Index k = 0; k < p.K; ++k) {
              const long double term =
                  static_cast<long double>(p.left(r, k)) * p.b[k * p.columns + o];
              sum += term;
              magnitude += std::abs(term);
            }
            // Each term is rounded when it is multiplied and by every sum after it.
            const double rounding = static_cast<double>((p.K + 1) * magnitude) *
                                    static_cast<double>(std::numeric_limits<S>::epsilon());
            if (std::abs(static_cast<double>(c[r * p.columns + o] - sum)) <= rounding) continue;
            CHECK_NEAR(c[r * p.columns + o], sum, rounding);
          }
        }
      };
      check(p.multiply({}), [](Index, Index) { return S{0}; });
      check(p.multiply({p.init.data(), 0}), [&](Index, Index o) { return p.init[o]; });
      check(p.multiply({p.init.data(), p.columns}),
            [&](Index r, Index o) { return p.init[r * p.columns + o]; });
    });
  });
}

TEST(in_place, "C may be what C starts from.") {
  check::for_each_scalar([]<class S>() {
    for_each_problem<S>([](const Problem<S>& p) {
      Array<S> c = p.init;
      product(p.left(), p.b.data(), {c.data(), p.columns}, c.data(), p.rows, p.columns, p.K);
      CHECK_SAME(c, p.multiply({p.init.data(), p.columns}));
    });
  });
}

TEST(rows_alone, "A row has the same bits in every block of rows, and alone.") {
  check::for_each_scalar([]<class S>() {
    for_each_problem<S>([](const Problem<S>& p) {
      const auto c = p.multiply({p.init.data(), 0});
      for (Index r = 0; r < p.rows; ++r) {
        Array<S> row(p.columns);
        product(p.left(r), p.b.data(), {p.init.data(), 0}, row.data(), 1, p.columns, p.K);
        CHECK_SAME(row, c.segment(r * p.columns, p.columns));
      }
    });
  });
}

TEST(columns_alone,
     "An element is one chain of multiply-adds over k, whatever block it falls into.") {
  check::for_each_scalar([]<class S>() {
    for_each_problem<S>([](const Problem<S>& p) {
      const auto c = p.multiply({p.init.data(), p.columns});
      for (Index o = 0; o < p.columns; ++o) {
        Array<S> b(p.K), init(p.rows), column(p.rows);
        for (Index k = 0; k < p.K; ++k) b[k] = p.b[k * p.columns + o];
        for (Index r = 0; r < p.rows; ++r) init[r] = p.init[r * p.columns + o];
        product(p.left(), b.data(), {init.data(), 1}, column.data(), p.rows, 1, p.K);
        for (Index r = 0; r < p.rows; ++r) CHECK_EQ(column[r], c[r * p.columns + o]);
      }
    });
  });
}

TEST(any_address, "Wherever the matrices lie in memory, the bits are the same.") {
  check::for_each_scalar([]<class S>() {
    const Problem<S> p(17, 33, 9, false);
    const auto expected = p.multiply({p.init.data(), p.columns});
    for (Index shift = 1; shift < 16; ++shift) {
      check::Shifted<S> a(p.a, shift), b(p.b, 16 - shift), init(p.init, shift), c(expected * 0, 3);
      product({a.data(), p.K, 1}, b.data(), {init.data(), p.columns}, c.data(), p.rows, p.columns,
              p.K);
      CHECK_SAME(c.values(), expected);
    }
  });
}

TEST(nan, "A NaN in a row of A, or one next to a zero, comes out in that row and in no other.") {
  check::for_each_scalar([]<class S>() {
    for (const S bad : {std::numeric_limits<S>::quiet_NaN(), std::numeric_limits<S>::infinity()}) {
      Problem<S> p(17, 33, 5, false);
      p.b.fill(S{0});
      p.a[8 * p.K + 2] = bad;  // 0 times infinity is NaN, too
      const auto c = p.multiply({});
      for (Index i = 0; i < c.size(); ++i) CHECK_EQ(std::isnan(c[i]), i / p.columns == 8);
    }
  });
}

}  // namespace
}  // namespace pgfast
