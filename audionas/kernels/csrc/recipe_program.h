// A recipe's plan as `recipe_plan.py` lays it out: a flat table of int32.
#pragma once
#include <cstdint>

namespace audionas {

// Values and gradients live in blocks of these buffers, one behind the other; a block is a matrix (rows, hidden).
enum Buffer { LINEAR, KEPT, STATE, PREVIOUS, PASSING, CARRY, GRADIENT, EMITTED, N_BUFFERS };
enum Code { PRODUCT, SUM, BLEND, TANH, SIGMOID, LEAKY_RELU, COPY, HAND_ON };

struct Place {
  int32_t buffer, block;
};

struct Gradient {
  Place place;
  int32_t adds;  // 0: this is the first contribution in the reverse pass
};

// HAND_ON is for the reverse pass alone: the gradient of a linear node is complete, and goes where products read it.
struct Operation {
  int32_t code, level;
  Place result, inputs[3], result_gradient;
  Gradient gradients[3];
};

// The linear node in block `slot` adds `weight` times `source`, before the operations of its level.
struct Product {
  int32_t level, slot, weight;
  Place source;
  Gradient gradient;
};

struct Program {
  int32_t n_blocks[N_BUFFERS], n_levels, n_states, n_reading, n_operations, n_products;  // n_reading: blocks that x gives something
  const int32_t *is_read, *ends_at;  // of each state: whether anything reads h_prev_i; the block of h_new_i's gradient
  const Operation* operations;
  const Product* products;

  explicit Program(const int32_t* table) {
    for (int i = 0; i < N_BUFFERS; i++) n_blocks[i] = *table++;
    n_levels = *table++, n_states = *table++, n_reading = *table++, n_operations = *table++, n_products = *table++;
    is_read = table, ends_at = table + n_states;
    operations = reinterpret_cast<const Operation*>(table + 2 * n_states);
    products = reinterpret_cast<const Product*>(operations + n_operations);
  }
};

static_assert(sizeof(Operation) == 21 * sizeof(int32_t) && sizeof(Product) == 8 * sizeof(int32_t), "as the table is laid out");

}  // namespace audionas
