#pragma once

class Cart {
 public:
  explicit Cart(int size);
  void clear();
  int total() const;

 private:
  int *items;
  int count;
};
