#include "check.hpp"
#include "pgfast/finished_returns.hpp"

namespace pgfast {
namespace {

using check::Array;

TEST(by_hand, "Each episode that ends counts once, with what it had earned before the first row.") {
  check::for_each_scalar([]<class S>() {
    // Column 0 falls in row 1; column 1 is cut off in row 0 and does both in row 2; 2 goes on.
    const Array<S> rewards{S{1}, S{10}, S{100}, S{2}, S{20}, S{200}, S{4}, S{40}, S{400}};
    const Array<bool> falls{false, false, false, true, false, false, false, true, false};
    const Array<bool> cuts{false, true, false, false, false, false, false, true, false};
    Array<double> running{1000, 2000, 3000};
    const FinishedReturns finished = finished_returns<S>(
        {rewards.data(), 3, 3}, {falls.data(), 3, 3}, {cuts.data(), 3, 3}, running.data());
    CHECK_EQ(finished.count, 3);
    CHECK_EQ(finished.sum, 2010.0 + 1003.0 + 60.0);
    CHECK_SAME(running, (Array<double>{4, 0, 3700}));
  });
}

TEST(none, "Where no episode ends nothing is finished.") {
  const Array<float> rewards{1, 2};
  const auto no = Array<bool>::constant(2, false);
  auto running = Array<double>::zeros(2);
  const auto finished = finished_returns<float>({rewards.data(), 1, 2}, {no.data(), 1, 2},
                                                {no.data(), 1, 2}, running.data());
  CHECK_EQ(finished.count, 0);
  CHECK_SAME(running, (Array<double>{1, 2}));
}

}  // namespace
}  // namespace pgfast
