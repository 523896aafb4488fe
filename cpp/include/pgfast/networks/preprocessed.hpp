// A network behind what is done to its observations first, none of which has parameters:
//
//   z = f(phi(n(x)); theta),   n(x) = clip((x - mean) * scale, -limit, limit)
//
// n (a running normalization, frozen here) and phi (features) are both optional. Only f is
// differentiated. The prepared rows of a tile are made once, in forward, and read again on the way
// back.
#pragma once

#include <memory>
#include <utility>

#include "pgfast/features.hpp"
#include "pgfast/networks/mlp.hpp"

namespace pgfast {

struct Normalization {
  Buffer<double> mean, scale;  // (D): x -> (x - mean) * scale
  double limit;                // clipped to [-limit, limit] afterwards
};

template <class S>
class PreprocessedTile;

class Preprocessed {
 public:
  template <class S>
  using Tile = PreprocessedTile<S>;

  Preprocessed(Mlp mlp, std::shared_ptr<const Features> features = nullptr,
               std::shared_ptr<const Normalization> normalization = nullptr)
      : mlp_(std::move(mlp)),
        features_(std::move(features)),
        normalization_(std::move(normalization)) {}

  Index input_size() const { return features_ ? features_->input_size() : mlp_.input_size(); }
  Index output_size() const { return mlp_.output_size(); }
  Index num_parameters() const { return mlp_.num_parameters(); }
  double sample_ns(Index passes) const {
    return mlp_.sample_ns(passes) + (features_ ? features_->row_ns() : 0.0);
  }
  const Mlp& mlp() const { return mlp_; }
  const Features* features() const { return features_.get(); }
  const Normalization* normalization() const { return normalization_.get(); }

 private:
  Mlp mlp_;
  std::shared_ptr<const Features> features_;
  std::shared_ptr<const Normalization> normalization_;
};

template <class S>
class PreprocessedTile {
 public:
  PreprocessedTile(const Preprocessed& network, const S* theta)
      : network_(network), mlp_(network.mlp(), theta) {
    if (const Normalization* n = network.normalization()) {
      mean_ = n->mean.template cast<S>();
      scale_ = n->scale.template cast<S>();
      normalized_ = Buffer<S>::Zero(padded(tile_rows * network.input_size()));
    }
    if (const Features* phi = network.features()) {
      features_ = Buffer<S>::Zero(padded(tile_rows * phi->output_size()));
    }
  }

  // What the layers see of x (rows, D); it stays until the next call, unless it is x itself.
  const S* preprocess(const S* x, Index rows) {
    if (network_.normalization()) x = normalize(x, rows);
    if (!network_.features()) return x;
    network_.features()->apply(x, rows, features_.data());
    return features_.data();
  }

  const S* forward(const S* x, Index rows) { return mlp_.forward(preprocess(x, rows), rows); }
  void prepare(const S* x, Index rows) { mlp_.prepare(preprocess(x, rows), rows); }

  void theta_changed() { mlp_.theta_changed(); }
  void backward(const S* dz, S* gradient) { mlp_.backward(dz, gradient); }
  void set_direction(const S* v) { mlp_.set_direction(v); }
  void jvp(S* dz) { mlp_.jvp(dz); }

 private:
  const S* normalize(const S* x, Index rows) {
    const Index D = network_.input_size();
    const auto limit = static_cast<S>(network_.normalization()->limit);
    for (Index r = 0; r < rows; ++r) {
      for (Index d = 0; d < D; ++d) {
        const S y = (x[r * D + d] - mean_[d]) * scale_[d];  // NaN stays
        normalized_[r * D + d] = y < -limit ? -limit : y > limit ? limit : y;
      }
    }
    return normalized_.data();
  }

  const Preprocessed& network_;
  MlpTile<S> mlp_;
  Buffer<S> mean_, scale_, normalized_, features_;
};

}  // namespace pgfast
