#include <limits>

#include "check.hpp"
#include "pgfast/networks/row_sum.hpp"

namespace pgfast {
namespace {

using check::Array;

TEST(rows_added, "The sums of dy's columns are added to what is there, whatever its size.") {
  check::for_each_scalar([]<class S>() {
    for (const Index rows : {0, 1, 2, 5, 17, 31, 32}) {
      for (const Index columns : {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 33, 64, 70}) {
        CONTEXT(rows << " x " << columns);
        // small integers: every sum is exact
        const Array<S> dy = (check::integers(rows * columns, 17, 4) - 8).template cast<S>();
        Array<S> sums = (check::integers(columns, 17, 5) - 8).template cast<S>(), expected = sums;
        add_rows(dy.data(), rows, columns, sums.data());
        for (Index i = 0; i < dy.size(); ++i) expected[i % columns] += dy[i];
        CHECK_SAME(sums, expected);
      }
    }
  });
}

TEST(nan, "A NaN comes out in its column and in no other.") {
  check::for_each_scalar([]<class S>() {
    for (const Index columns : {3, 64, 70}) {
      Array<S> dy = Array<S>::zeros(32 * columns), sums = Array<S>::zeros(columns);
      dy[7 * columns + columns - 1] = std::numeric_limits<S>::quiet_NaN();
      add_rows(dy.data(), Index{32}, columns, sums.data());
      for (Index c = 0; c < columns; ++c) CHECK_EQ(std::isnan(sums[c]), c == columns - 1);
    }
  });
}

}  // namespace
}  // namespace pgfast
