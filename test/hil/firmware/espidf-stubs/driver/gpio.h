#ifndef STUB_DRIVER_GPIO_H
#define STUB_DRIVER_GPIO_H

#include "esp_err.h"
#include <stdint.h>
typedef int gpio_num_t;
typedef enum { GPIO_MODE_INPUT_OUTPUT = 3 } gpio_mode_t;
#define GPIO_IS_VALID_GPIO(pin) ((pin) >= 0 && (pin) < 22)
#define GPIO_IS_VALID_OUTPUT_GPIO(pin) GPIO_IS_VALID_GPIO(pin)
esp_err_t gpio_set_direction(gpio_num_t pin, gpio_mode_t mode);
esp_err_t gpio_set_level(gpio_num_t pin, uint32_t level);
int gpio_get_level(gpio_num_t pin);

#endif
