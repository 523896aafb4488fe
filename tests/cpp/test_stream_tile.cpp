#include <limits>

#include "check.hpp"
#include "pgfast/stream_tile.hpp"

namespace pgfast {
namespace {

constexpr Purpose purposes[] = {Purpose::general, Purpose::environment, Purpose::action,
                                Purpose::parameters};
// In and out of order, over the end of 32 and of 64 bits, each several times.
constexpr std::uint64_t indices[] = {0,  1,  2,   3,           4,           9,         8,     9,
                                     31, 32, 130, 0x3ffffffff, 0x400000000, ~0ull - 1, ~0ull, 0};

// f(first stream, index, rows) in an order in which all three change.
template <class F>
void for_each_call(F&& f) {
  for (const std::uint32_t first : {0u, 32u, 5u, 0xfffffff0u}) {
    for (const std::uint64_t index : indices) {
      for (const Index rows : {1, 7, 2, 8, 17, 32, 32, 4}) {
        CONTEXT("first " << first << ", index " << index << ", rows " << rows);
        f(first, index, rows);
      }
    }
  }
  for (const Index rows : {1, 2, 3, 4, 7, 16, 17, 32}) {
    for (const std::uint64_t from : {0ull, 0x3fffffff0ull, 0x1fffffff0ull, ~0ull - 63}) {
      for (std::uint64_t i = 0; i < 150; ++i) {
        CONTEXT("from " << from << ", step " << i << ", rows " << rows);
        f(5, from + i, rows);
      }
    }
  }
}

TEST(uniforms, "A tile gives the scalar draws, in any order of streams, indices and rows.") {
  check::for_each_scalar([]<class S>() {
    for (const Purpose purpose : purposes) {
      const std::uint64_t seed = 0x0123456789abcdefull;
      StreamTile<S> tile(seed, purpose);
      for_each_call([&](std::uint32_t first, std::uint64_t index, Index rows) {
        const S* draws = tile.uniforms(first, index, rows);
        for (Index l = 0; l < rows; ++l) {
          const std::uint32_t stream = first + static_cast<std::uint32_t>(l);
          CHECK_EQ(draws[l], uniform<S>(seed, purpose, stream, index));
        }
      });
    }
  });
}

TEST(normals, "Pairs are Box and Muller's of two uniforms, with the same bits in any company.") {
  check::for_each_scalar([]<class S>() {
    const std::uint64_t seed = 3;
    StreamTile<S> tile(seed, Purpose::action), alone(seed, Purpose::action);
    for_each_call([&](std::uint32_t first, std::uint64_t index, Index rows) {
      const std::uint64_t pair = index / 2;  // of draws
      tile.uniforms(first, index, rows);
      const auto normals = tile.normals(first, pair, rows);
      for (Index l = 0; l < rows; ++l) {
        const std::uint32_t stream = first + static_cast<std::uint32_t>(l);
        const double u = uniform<S>(seed, Purpose::action, stream, 2 * pair),
                     v = uniform<S>(seed, Purpose::action, stream, 2 * pair + 1);
        const double radius = std::sqrt(-2 * std::log1p(-u)), angle = 2 * std::acos(-1.0) * v;
        // A rounded angle, up to 2 pi, moves the number by radius times that rounding.
        const double tolerance =
            16 * (1 + radius) * static_cast<double>(std::numeric_limits<S>::epsilon());
        CHECK_NEAR(normals.first[l], radius * std::cos(angle), tolerance);
        CHECK_NEAR(normals.second[l], radius * std::sin(angle), tolerance);
        const auto own = alone.normals(stream, pair, 1);
        CHECK_EQ(normals.first[l], own.first[0]);
        CHECK_EQ(normals.second[l], own.second[0]);
      }
    });
  });
}

}  // namespace
}  // namespace pgfast
