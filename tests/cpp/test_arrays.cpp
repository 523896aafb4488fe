#include "check.hpp"
#include "pgfast/arrays.hpp"

namespace pgfast {
namespace {

using check::Array;

TEST(pieces, "ceil_div counts the pieces that cover a count, padded is their total size.") {
  for (Index count = 0; count < 200; ++count) {
    for (Index size = 1; size < 40; ++size) {
      const Index pieces = ceil_div(count, size);
      CHECK(pieces * size >= count && (pieces - 1) * size < count);
    }
    CHECK_EQ(padded(count), ceil_div(count, chunk) * chunk);
  }
}

TEST(rows_copied, "A row is copied whole, whatever its width, and nothing behind it is written.") {
  for (Index width = 0; width < 140; ++width) {
    CONTEXT(width << " wide");
    std::vector<std::uint8_t> from(static_cast<std::size_t>(width)), to(from.size() + 1, 255);
    for (std::size_t i = 0; i < from.size(); ++i) from[i] = static_cast<std::uint8_t>(i + 1);
    copy_row(from.data(), width, to.data());
    CHECK(std::equal(from.begin(), from.end(), to.begin()));
    CHECK_EQ(to.back(), 255);
  }
}

TEST(gathered, "Rows stand in the order that names them; of no source nothing is taken.") {
  for (const Index width : {1, 3, 7, 90}) {
    CONTEXT(width << " wide");
    const auto source = check::integers(10 * width, 100, 1);
    const Index order[] = {7, 0, 7, 9};
    Array<std::int64_t> rows(4 * width);
    gather(source.data(), order, Index{4}, width, rows.data());
    for (Index i = 0; i < rows.size(); ++i) {
      CHECK_EQ(rows[i], source[order[i / width] * width + i % width]);
    }
    gather<std::int64_t>(nullptr, order, Index{4}, width, nullptr);
  }
}

TEST(set_flags, "for_each_set visits the set flags of a range in order, count_set counts them.") {
  for (const Index count : {0, 1, 63, 1000, 20000}) {
    for (const double p : {0.0, 0.01, 0.5, 1.0}) {
      CONTEXT(count << " flags, set with probability " << p);
      const auto flags = check::flags(count, p, 1);
      for (const auto& [begin, end] : {std::pair<Index, Index>{0, count},
                                       {count / 3, count},
                                       {count / 5, count - count / 7},
                                       {count, count}}) {
        std::vector<Index> expected, visited;
        for (Index i = begin; i < end; ++i) {
          if (flags[i]) expected.push_back(i);
        }
        for_each_set(flags.data(), begin, end, [&](Index i) { visited.push_back(i); });
        CHECK(visited == expected);
        CHECK_EQ(count_set(flags.data(), begin, end), static_cast<Index>(expected.size()));
      }
    }
  }
}

TEST(chunks, "A number that goes through transform_chunks has the same bits at every place.") {
  check::for_each_scalar([]<class S>() {
    const auto exp = [](const auto& x) { return x.exp().eval(); };
    const auto x = check::normals<S>(100, 2);
    Array<S> all = Array<S>::zeros(padded(100));
    all.set(0, x);
    transform_chunks(all.data(), 100, exp);
    for (Index i = 0; i < 100; ++i) {
      Array<S> one = Array<S>::zeros(padded(1));
      one[0] = x[i];
      transform_chunks(one.data(), 1, exp);
      CHECK_EQ(one[0], all[i]);
    }
  });
}

}  // namespace
}  // namespace pgfast
