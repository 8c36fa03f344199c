// The angles of the rotary position embedding, whose turns are the kernels' (kv-store.h).
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

 private:
  std::vector<float> frequencies_;
};

}  // namespace octet
