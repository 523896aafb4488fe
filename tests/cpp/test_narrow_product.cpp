#include <limits>

#include "check.hpp"
#include "pgfast/networks/narrow_product.hpp"

namespace pgfast {
namespace {

using check::Array;

// y = init + A B, A (rows, K), B (K, columns).
template <class S>
struct Problem {
  Index rows, columns, K;
  Array<S> a, b, init;

  Problem(Index r, Index c, Index k)
      : rows(r),
        columns(c),
        K(k),
        a(check::normals<S>(r * k, 1)),
        b(check::normals<S>(k * c, 2)),
        init(check::normals<S>(r * c, 3)) {}

  Array<S> multiply(Initial<S> from) const {
    Array<S> y(rows * columns);
    narrow_product(a.data(), packed().data(), from, y.data(), rows, columns, K);
    return y;
  }
  Buffer<S> packed() const {
    Buffer<S> of_b;
    pack_narrow(b.data(), K, columns, of_b);
    return of_b;
  }
};

template <class F>
void for_each_problem(F&& f) {
  check::for_each_scalar([&]<class S>() {
    for (const Index rows : {0, 1, 2, 3, 7, 31, 32}) {
      for (Index columns = 1; columns <= narrow_columns<S>; ++columns) {
        for (const Index K : {0, 3, 16, 33, 64}) {
          CONTEXT(rows << " x " << K << " x " << columns);
          f(Problem<S>(rows, columns, K));
        }
      }
    }
  });
}

TEST(sum_of_products, "y is what it starts from, one row or as many, plus A B.") {
  for_each_problem([]<class S>(const Problem<S>& p) {
    for (const bool one_row : {false, true}) {
      const Array<S> y = p.multiply({p.init.data(), one_row ? 0 : p.columns});
      for (Index i = 0; i < y.size(); ++i) {
        const Index r = i / p.columns, o = i % p.columns;
        long double sum = p.init[one_row ? o : i], magnitude = std::abs(sum);
        for (Index k = 0; k < p.K; ++k) {
          const long double term =
              static_cast<long double>(p.a[r * p.K + k]) * p.b[k * p.columns + o];
          sum += term;
          magnitude += std::abs(term);
        }
        const double rounding = static_cast<double>((p.K + 1) * magnitude) *
                                static_cast<double>(std::numeric_limits<S>::epsilon());
        CHECK_NEAR(y[i], sum, rounding);
      }
    }
  });
}

TEST(rows_alone, "A row has the same bits among others and alone, in place and elsewhere.") {
  for_each_problem([]<class S>(const Problem<S>& p) {
    const Array<S> y = p.multiply({p.init.data(), p.columns});
    const Buffer<S> packed = p.packed();
    for (Index r = 0; r < p.rows; ++r) {
      Array<S> row = p.init.segment(r * p.columns, p.columns);
      narrow_product(p.a.data() + r * p.K, packed.data(), {row.data(), p.columns}, row.data(), 1,
                     p.columns, p.K);
      CHECK_SAME(row, y.segment(r * p.columns, p.columns));
    }
  });
}

TEST(columns_alone, "An element has the same bits whatever the other columns are.") {
  for_each_problem([]<class S>(const Problem<S>& p) {
    const Array<S> y = p.multiply({p.init.data(), 0});
    for (Index o = 0; o < p.columns; ++o) {
      Array<S> b(p.K), column(p.rows);
      for (Index k = 0; k < p.K; ++k) b[k] = p.b[k * p.columns + o];
      Buffer<S> packed;
      pack_narrow(b.data(), p.K, Index{1}, packed);
      narrow_product(p.a.data(), packed.data(), {p.init.data() + o, 0}, column.data(), p.rows,
                     Index{1}, p.K);
      for (Index r = 0; r < p.rows; ++r) CHECK_EQ(column[r], y[r * p.columns + o]);
    }
  });
}

TEST(nan, "A NaN in a row of A comes out in that row and in no other.") {
  check::for_each_scalar([]<class S>() {
    Problem<S> p(17, narrow_columns<S>, 20);
    for (const Index k : {0, 19}) {
      Problem<S> bad = p;
      bad.a[8 * p.K + k] = std::numeric_limits<S>::quiet_NaN();
      const Array<S> y = bad.multiply({p.init.data(), 0});
      for (Index i = 0; i < y.size(); ++i) CHECK_EQ(std::isnan(y[i]), i / p.columns == 8);
    }
  });
}

}  // namespace
}  // namespace pgfast
