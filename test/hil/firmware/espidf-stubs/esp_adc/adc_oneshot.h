#ifndef STUB_ESP_ADC_ADC_ONESHOT_H
#define STUB_ESP_ADC_ADC_ONESHOT_H

#include "esp_err.h"
typedef struct adc_oneshot_unit *adc_oneshot_unit_handle_t;
typedef int adc_channel_t;
enum { ADC_UNIT_1 = 0, ADC_ATTEN_DB_12 = 3, ADC_BITWIDTH_DEFAULT = 0 };
typedef struct {
  int unit_id;
} adc_oneshot_unit_init_cfg_t;
typedef struct {
  int atten, bitwidth;
} adc_oneshot_chan_cfg_t;
esp_err_t adc_oneshot_new_unit(const adc_oneshot_unit_init_cfg_t *config, adc_oneshot_unit_handle_t *unit);
esp_err_t adc_oneshot_config_channel(adc_oneshot_unit_handle_t unit, adc_channel_t channel, const adc_oneshot_chan_cfg_t *config);
esp_err_t adc_oneshot_read(adc_oneshot_unit_handle_t unit, adc_channel_t channel, int *raw);

#endif
