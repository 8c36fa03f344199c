// Rotary position embedding: element i of a head turns with element i + headDim / 2.
//
// As Hugging Face transformers computes it (modeling_mixtral.py, MixtralRotaryEmbedding): the
// frequencies and the angles are rounded to f32; the sine and cosine of that angle are then taken
// in f64 and rounded to f32.
#pragma once

#include <stdint.h>

#include <vector>

namespace octet {

class Rope {
 public:
  Rope(double theta, int64_t headDim);

  // cosSin: headDim / 2 cosines, then as many sines.
  void fillTable(int64_t position, float* cosSin) const;

  // Turns one head, in place.
  static void rotate(const float* cosSin, int64_t headDim, float* head);

 private:
  std::vector<float> frequencies_;
};

}  // namespace octet
