#include <numeric>
#include <vector>

#include "check.hpp"
#include "pgfast/shuffle.hpp"

namespace pgfast {
namespace {

TEST(durstenfeld, "Item i changes places with one of those up to it, by draw first_index + i.") {
  for (const Index count : {0, 1, 2, 3, 63, 64, 65, 129, 1000}) {
    for (const std::uint64_t first : {0ull, 1ull, 63ull, 64ull, 1000003ull, (1ull << 33) + 5}) {
      CONTEXT(count << " items from draw " << first);
      std::vector<Index> items(static_cast<std::size_t>(count));
      std::iota(items.begin(), items.end(), Index{0});
      std::vector<Index> expected = items;
      shuffle(items.data(), count, 77, 9, first);
      for (Index i = count - 1; i > 0; --i) {
        const double u =
            uniform<double>(77, Purpose::shuffle, 9, first + static_cast<std::uint64_t>(i));
        std::swap(expected[static_cast<std::size_t>(i)],
                  expected[static_cast<std::size_t>(u * static_cast<double>(i + 1))]);
      }
      CHECK(items == expected);
    }
  }
}

}  // namespace
}  // namespace pgfast
