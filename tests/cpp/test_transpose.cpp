#include "array.hpp"
#include "check.hpp"
#include "pgfast/transpose.hpp"

namespace pgfast {
namespace {

using check::Array;

constexpr Index sizes[] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12,
                           13, 14, 15, 16, 17, 18, 21, 24, 30, 31, 32, 33, 70};

template <class S>
Array<S> counted(Index size) {
  Array<S> x(size);
  for (Index i = 0; i < size; ++i) x[i] = static_cast<S>(i + 1);
  return x;
}

TEST(all_sizes, "to(c, r) = from(r, c) for all sizes, dense or with gaps, and the gaps stay.") {
  check::for_each_scalar([]<class S>() {
    for (const Index rows : sizes) {
      for (const Index columns : sizes) {
        for (const Index from_gap : {0, 1, 5}) {
          for (const Index to_gap : {0, 1, 5}) {
            CONTEXT(rows << " x " << columns << ", gaps " << from_gap << " and " << to_gap);
            const Index from_stride = columns + from_gap, to_stride = rows + to_gap;
            // No number more than the matrix has: what reads behind it is seen by a sanitizer.
            const bool empty = rows == 0 || columns == 0;
            const auto from = counted<S>(empty ? 0 : (rows - 1) * from_stride + columns);
            auto to = Array<S>::constant(empty ? 0 : (columns - 1) * to_stride + rows, S{-1});
            transpose(from.data(), from_stride, rows, columns, to.data(), to_stride);
            Index wrong = 0;
            for (Index i = 0; i < to.size(); ++i) {
              const Index c = i / to_stride, r = i % to_stride;
              wrong += to[i] != (r < rows ? from[r * from_stride + c] : S{-1});
            }
            CHECK_EQ(wrong, 0);
          }
        }
      }
    }
  });
}

TEST(added, "The transpose is added to what is there, each number once.") {
  check::for_each_scalar([]<class S>() {
    for (const Index rows : sizes) {
      for (const Index columns : sizes) {
        CONTEXT(rows << " x " << columns);
        const auto from = counted<S>(rows * columns);
        auto to = Array<S>::constant(rows * columns, S{100});
        add_transpose(from.data(), rows, columns, to.data());
        Index wrong = 0;
        for (Index i = 0; i < to.size(); ++i) {
          wrong += to[i] != from[i % rows * columns + i / rows] + S{100};
        }
        CHECK_EQ(wrong, 0);
      }
    }
  });
}

TEST(there_and_back, "Twice transposed is what it was.") {
  check::for_each_scalar([]<class S>() {
    for (const Index columns : sizes) {
      CONTEXT(columns << " columns");
      const auto from = counted<S>(tile_rows * columns);
      Array<S> turned(from.size()), back(from.size());
      transpose(from.data(), tile_rows, columns, turned.data());
      transpose(turned.data(), columns, tile_rows, back.data());
      CHECK_SAME(back, from);
    }
  });
}

}  // namespace
}  // namespace pgfast
