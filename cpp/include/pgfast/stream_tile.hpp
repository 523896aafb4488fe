// The draws of a tile: of up to `tile_rows` neighbouring streams at the same index, in plain loops
// over lanes that compilers turn into vector code.
//
// All 32 lanes are drawn at once. Where there are fewer rows, the other lanes hold the blocks that
// come next, and a block holds the draws of several indices: a rollout, which asks for index,
// index + 1, ..., pays for Philox once in 4 steps of 32 rows, and once in 32 steps of 4 rows (in
// float). Normals are made for all lanes likewise: a step of 4 rows takes a tenth of the time
// that it takes where each step makes 32 lanes of its own.
#pragma once

#include <bit>

#include "pgfast/random.hpp"
#include "pgfast/sine_cosine.hpp"

namespace pgfast {

// A call gives 32 numbers, which stay until the next call; those behind the rows mean nothing.
template <class S>
class StreamTile {
 public:
  StreamTile(std::uint64_t seed, Purpose purpose) : seed_(seed), purpose_(purpose) {}

  // [l] = uniform(seed, purpose, first_stream + l, index), l < rows
  const S* uniforms(std::uint32_t first_stream, std::uint64_t index, Index rows) {
    const Index lane = lane_of(first_stream, index / draws, rows);
    return uniforms_[index % draws] + lane;
  }

  // Normals 2 pair and 2 pair + 1 of each stream (see `normal_pair`).
  struct Pair {
    const S *first, *second;
  };
  Pair normals(std::uint32_t first_stream, std::uint64_t pair, Index rows) {
    const Index lane = lane_of(first_stream, pair / pairs, rows);
    Normals& of_pair = normals_[pair % pairs];
    if (!of_pair.made) make_normals(2 * (pair % pairs), of_pair);
    return {of_pair.first + lane, of_pair.second + lane};
  }

 private:
  static constexpr auto draws = static_cast<std::uint64_t>(draws_per_block<S>), pairs = draws / 2;
  static constexpr Index room = 2 * tile_rows;  // 32 numbers can be read from any lane on
  using Lane = Lanes<S, static_cast<int>(tile_rows)>;

  struct Normals {
    bool made = false;
    S first[room] = {}, second[room] = {};
  };

  // The lane from which on a block's rows stand.
  Index lane_of(std::uint32_t first_stream, std::uint64_t block, Index rows) {
    const auto width = static_cast<Index>(std::bit_ceil(static_cast<std::size_t>(rows)));
    const auto ahead = static_cast<std::uint64_t>(tile_rows / width);
    if (width != width_ || first_stream != first_stream_ || block - first_block_ >= ahead) {
      refill(first_stream, block, width);
    }
    return static_cast<Index>(block - first_block_) * width;
  }

  // Lane l is row l % width of block first_block + l / width.
  void refill(std::uint32_t first_stream, std::uint64_t first_block, Index width) {
    std::uint32_t words[4][tile_rows], keys[2][tile_rows];
    const int shift = std::countr_zero(static_cast<std::size_t>(width));
    for (Index l = 0; l < tile_rows; ++l) {
      const std::uint64_t block = first_block + static_cast<std::uint64_t>(l >> shift);
      words[0][l] = static_cast<std::uint32_t>(block);
      words[1][l] = static_cast<std::uint32_t>(block >> 32);
      words[2][l] = first_stream + static_cast<std::uint32_t>(l & (width - 1));
      words[3][l] = static_cast<std::uint32_t>(purpose_);
      keys[0][l] = static_cast<std::uint32_t>(seed_);
      keys[1][l] = static_cast<std::uint32_t>(seed_ >> 32);
    }
    philox_lanes(words, keys);
    constexpr int n = words_per_draw<S>;
    for (int i = 0; i < draws_per_block<S>; ++i) {
      for (Index l = 0; l < tile_rows; ++l) {
        const std::uint32_t w[2] = {words[i * n][l], words[i * n + n - 1][l]};
        uniforms_[i][l] = uniform_from_words<S>(w);
      }
    }
    for (Normals& normals : normals_) normals.made = false;
    first_stream_ = first_stream;
    first_block_ = first_block;
    width_ = width;
  }

  // Of the block's uniforms u, which is its draw `draw`, and v, the one behind it. 1 - u lies in
  // (0, 1]; a vector logarithm of 1 may be a little above 0: the root is of 0.
  void make_normals(std::uint64_t draw, Normals& out) {
    const Eigen::Map<const Lane> u(uniforms_[draw]), v(uniforms_[draw + 1]);
    const Lane radius = (S{-2} * (S{1} - u).log()).max(S{0}).sqrt();
    const Lane angle = S(6.283185307179586476925286766559) * v;
    const auto [sine, cosine] = sine_cosine<static_cast<int>(tile_rows)>(angle);
    Eigen::Map<Lane>(out.first) = radius * cosine;
    Eigen::Map<Lane>(out.second) = radius * sine;
    out.made = true;
  }

  std::uint64_t seed_;
  Purpose purpose_;
  std::uint32_t first_stream_ = 0;
  std::uint64_t first_block_ = 0;
  Index width_ = 0;  // 0: nothing is drawn yet
  S uniforms_[draws][room] = {};
  Normals normals_[pairs];
};

}  // namespace pgfast
