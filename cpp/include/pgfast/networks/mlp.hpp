// A multilayer perceptron z = f(x; theta): affine layers with an activation between them, none
// after the last. Without hidden layers it is the linear network. theta holds the layers in order.
#pragma once

#include <algorithm>
#include <vector>

#include "pgfast/networks/hyperbolic_tangent.hpp"
#include "pgfast/networks/linear.hpp"
#include "pgfast/transpose.hpp"

namespace pgfast {

enum class Activation { tanh, relu };

template <class S>
class MlpTile;

class Mlp {
 public:
  template <class S>
  using Tile = MlpTile<S>;

  // sizes: input, hidden layers, output
  Mlp(const std::vector<Index>& sizes, Activation activation) : activation_(activation) {
    for (std::size_t l = 0; l + 1 < sizes.size(); ++l) {
      layers_.push_back({sizes[l], sizes[l + 1]});
      offsets_.push_back(num_parameters_);
      num_parameters_ += layers_.back().num_parameters();
    }
  }

  Index input_size() const { return layers_.front().inputs; }
  Index output_size() const { return layers_.back().outputs; }
  Index num_parameters() const { return num_parameters_; }
  // Nanoseconds of a sample's passes, of which forward is one and backward two: two flops for each
  // parameter at 200 GFLOP/s, and what is done with the outputs.
  double sample_ns(Index passes) const {
    return 5 + 0.01 * static_cast<double>(passes * num_parameters_);
  }
  const std::vector<Linear>& layers() const { return layers_; }
  Index offset(std::size_t layer) const { return offsets_[layer]; }
  Activation activation() const { return activation_; }

  // h <- activation(h); the memory behind the last number is padded
  template <class S>
  void activate(S* h, Index count) const {
    if (activation_ == Activation::relu) {
      for (Index i = 0; i < count; ++i) h[i] = h[i] < S{0} ? S{0} : h[i];  // keeps NaN
    } else if constexpr (std::is_same_v<S, float>) {
      namespace packet = Eigen::internal;
      using V = packet::packet_traits<float>::type;
      constexpr int width = packet::unpacket_traits<V>::size;
      for (Index i = 0; i < count; i += width) {
        packet::pstore(h + i, hyperbolic_tangent(packet::pload<V>(h + i)));
      }
    } else {
      for (Index i = 0; i < count; ++i) h[i] = std::tanh(h[i]);
    }
  }

  // delta <- delta * activation'(x), from h = activation(x): 1 - h^2, or h > 0
  template <class S>
  void activation_gradient(const S* __restrict h, S* __restrict delta, Index count) const {
    if (activation_ == Activation::tanh) {
      for (Index i = 0; i < count; ++i) delta[i] *= S{1} - h[i] * h[i];
    } else {
      for (Index i = 0; i < count; ++i) delta[i] = h[i] <= S{0} ? S{0} : delta[i];
    }
  }

 private:
  Activation activation_;
  std::vector<Linear> layers_;
  std::vector<Index> offsets_;
  Index num_parameters_ = 0;
};

// The work memory of an Mlp for one tile: allocated once, used for many tiles. `backward` and `jvp`
// belong to the rows of the last `forward` or `prepare`.
template <class S>
class MlpTile {
 public:
  MlpTile(const Mlp& network, const S* theta)
      : network_(network),
        theta_(theta),
        transposed_(network.layers().size()),
        packed_(network.layers().size()),
        direction_packed_(network.layers().size()),
        transposed_stale_(network.layers().size(), true),
        packed_stale_(network.layers().size(), true) {
    Index widest = 0;
    for (const Linear& layer : network.layers()) {
      outputs_.push_back(Buffer<S>::Zero(padded(tile_rows * layer.outputs)));
      widest = std::max({widest, layer.inputs, layer.outputs});
    }
    for (auto& buffer : scratch_) buffer = Buffer<S>::Zero(padded(tile_rows * widest));
  }

  // z (rows, output_size); x stays in use until the next forward
  const S* forward(const S* x, Index rows) {
    prepare(x, rows);
    layer_forward(network_.layers().size() - 1);
    return outputs_.back().data();
  }

  // A forward pass without the last layer: all that `backward` and `jvp` need.
  void prepare(const S* x, Index rows) {
    x_ = x;
    rows_ = rows;
    for (std::size_t l = 0; l + 1 < network_.layers().size(); ++l) {
      layer_forward(l);
      network_.activate(outputs_[l].data(), rows * network_.layers()[l].outputs);
    }
  }

  // The parameters have changed in place: what was made of them is made again when it is needed.
  void theta_changed() {
    std::fill(transposed_stale_.begin(), transposed_stale_.end(), true);
    std::fill(packed_stale_.begin(), packed_stale_.end(), true);
  }

  // gradient (P) += J'dz, summed over the rows
  void backward(const S* dz, S* gradient) {
    const auto& layers = network_.layers();
    const S* dy = dz;
    for (std::size_t l = layers.size(); l-- > 0;) {
      S* dx = scratch_[l % 2].data();
      layers[l].backward(input(l), rows_, dy, gradient + network_.offset(l), dx);
      if (l == 0) break;
      layers[l].backward_input(transposed(l), rows_, dy, dx);
      network_.activation_gradient(input(l), dx, rows_ * layers[l].inputs);
      dy = dx;
    }
  }

  // The direction v (P) of all `jvp` that follow; it stays in use.
  void set_direction(const S* v) {
    direction_ = v;
    for (std::size_t l = 0; l < network_.layers().size(); ++l) {
      if (network_.layers()[l].template narrow<S>()) pack(v, l, direction_packed_[l]);
    }
  }

  // dz (rows, output_size) = J v
  void jvp(S* dz) {
    const auto& layers = network_.layers();
    const S* dx = nullptr;
    for (std::size_t l = 0; l < layers.size(); ++l) {
      const bool last = l + 1 == layers.size();
      S* dy = last ? dz : scratch_[l % 2].data();
      layers[l].jvp(theta_ + network_.offset(l), dx ? packed(l) : nullptr,
                    direction_ + network_.offset(l), direction_packed_[l].data(), input(l), dx,
                    rows_, dy);
      if (!last) network_.activation_gradient(outputs_[l].data(), dy, rows_ * layers[l].outputs);
      dx = dy;
    }
  }

 private:
  const S* input(std::size_t layer) const { return layer == 0 ? x_ : outputs_[layer - 1].data(); }

  void layer_forward(std::size_t l) {
    network_.layers()[l].forward(theta_ + network_.offset(l), packed(l), input(l), rows_,
                                 outputs_[l].data());
  }

  // W' of a layer, made when it is first needed
  const S* transposed(std::size_t l) {
    const Linear& layer = network_.layers()[l];
    if (transposed_stale_[l]) {
      transposed_[l].resize(layer.inputs * layer.outputs);
      transpose(theta_ + network_.offset(l), layer.inputs, layer.outputs, transposed_[l].data());
      transposed_stale_[l] = false;
    }
    return transposed_[l].data();
  }

  // W of a narrow layer for its products, likewise; null where the layer is none
  const S* packed(std::size_t l) {
    if (!network_.layers()[l].template narrow<S>()) return nullptr;
    if (packed_stale_[l]) {
      pack(theta_, l, packed_[l]);
      packed_stale_[l] = false;
    }
    return packed_[l].data();
  }

  void pack(const S* parameters, std::size_t l, Buffer<S>& into) const {
    const Linear& layer = network_.layers()[l];
    pack_narrow(parameters + network_.offset(l), layer.inputs, layer.outputs, into);
  }

  const Mlp& network_;
  const S* theta_;
  const S* x_ = nullptr;
  Index rows_ = 0;
  const S* direction_ = nullptr;
  std::vector<Buffer<S>> outputs_;                     // of each layer, after its activation
  std::vector<Buffer<S>> transposed_;                  // W' of each layer that needs it
  std::vector<Buffer<S>> packed_;                      // W of each narrow layer
  std::vector<Buffer<S>> direction_packed_;            // and the direction's
  std::vector<bool> transposed_stale_, packed_stale_;  // not of the parameters as they are
  // Deltas and narrow gradients on the way back, tangents on the way forward.
  Buffer<S> scratch_[2];
};

}  // namespace pgfast
