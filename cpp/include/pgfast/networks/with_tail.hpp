// A network with `tail` further outputs that don't depend on the input: z = (f(x), c), theta =
// (theta_f, c). A Gaussian's log sigma is learned in this way. J of a tail output is the identity
// in its own parameter and zero elsewhere.
#pragma once

#include <utility>

#include "pgfast/networks/preprocessed.hpp"

namespace pgfast {

template <class S>
class WithTailTile;

class WithTail {
 public:
  template <class S>
  using Tile = WithTailTile<S>;

  WithTail(Preprocessed body, Index tail) : body_(std::move(body)), tail_(tail) {}

  Index input_size() const { return body_.input_size(); }
  Index output_size() const { return body_.output_size() + tail_; }
  Index num_parameters() const { return body_.num_parameters() + tail_; }
  double sample_ns(Index passes) const { return body_.sample_ns(passes); }
  const Preprocessed& body() const { return body_; }
  Index tail() const { return tail_; }

 private:
  Preprocessed body_;
  Index tail_;
};

// Memory: one more copy of z, (rows, outputs + tail), none where there is no tail.
template <class S>
class WithTailTile {
 public:
  WithTailTile(const WithTail& network, const S* theta)
      : outputs_(network.body().output_size()),
        tail_(network.tail()),
        parameters_(network.body().num_parameters()),
        constant_(theta + parameters_),
        body_(network.body(), theta) {
    if (tail_ > 0) {
      z_ = Buffer<S>::Zero(padded(tile_rows * network.output_size()));
      dz_ = Buffer<S>::Zero(padded(tile_rows * outputs_));
    }
  }

  const S* forward(const S* x, Index rows) {
    rows_ = rows;
    const S* y = body_.forward(x, rows);
    if (tail_ == 0) return y;
    join(y, constant_, z_.data());
    return z_.data();
  }

  void prepare(const S* x, Index rows) {
    rows_ = rows;
    body_.prepare(x, rows);
  }

  void theta_changed() { body_.theta_changed(); }

  void backward(const S* dz, S* gradient) {
    if (tail_ == 0) return body_.backward(dz, gradient);
    const Index stride = outputs_ + tail_;
    copy_rows(dz, stride, rows_, outputs_, dz_.data(), outputs_);
    S* tail_gradient = gradient + parameters_;
    for (Index r = 0; r < rows_; ++r) {
      for (Index i = 0; i < tail_; ++i) tail_gradient[i] += dz[r * stride + outputs_ + i];
    }
    body_.backward(dz_.data(), gradient);
  }

  void set_direction(const S* v) {
    tail_direction_ = v + parameters_;
    body_.set_direction(v);
  }

  void jvp(S* dz) {
    if (tail_ == 0) return body_.jvp(dz);
    body_.jvp(dz_.data());
    join(dz_.data(), tail_direction_, dz);
  }

 private:
  // (rows, outputs + tail): the body's rows, and the tail behind each
  void join(const S* of_body, const S* tail, S* joined) const {
    const Index stride = outputs_ + tail_;
    copy_rows(of_body, outputs_, rows_, outputs_, joined, stride);
    copy_rows(tail, Index{0}, rows_, tail_, joined + outputs_, stride);
  }

  Index outputs_, tail_, parameters_;  // of the body; of the tail; of the body
  const S* constant_;
  const S* tail_direction_ = nullptr;
  PreprocessedTile<S> body_;
  Index rows_ = 0;
  Buffer<S> z_, dz_;
};

}  // namespace pgfast
