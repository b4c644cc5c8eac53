/* The board as an ESP32 under ESP-IDF 5. Checked for syntax against stand-in headers only; it never ran on a chip in this project. */
#include "hal.h"
#include "main.h"

#include "driver/gpio.h"
#include "driver/uart.h"
#include "driver/usb_serial_jtag.h"
#include "esp_adc/adc_oneshot.h"
#include "esp_attr.h"
#include "esp_idf_version.h"
#include "esp_mac.h"
#include "esp_partition.h"
#include "esp_random.h"
#include "esp_sleep.h"
#include "esp_system.h"
#include "esp_task_wdt.h"
#include "esp_timer.h"
#include "freertos/FreeRTOS.h"
#include "freertos/queue.h"
#include "freertos/task.h"
#include "nvs_flash.h"
#include "sdkconfig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RECEIVE_BYTES 8192
#define SEND_BYTES 4096
#define RETAINED_BYTES 1024u /* RTC memory: an ESP32-C3 has 8 KiB of it, and not all for us */
/* A shorter wait than the task watchdog's patience, and how often a line without events is looked at. */
#define WAIT_MAX_MS 500
#define LOOK_EVERY_MS 5

static QueueHandle_t uart_events;
static uint64_t arrival_us;
static const esp_partition_t *data;
static adc_oneshot_unit_handle_t adc;

/* Not cleared by a restart, and without meaning after a power cut: the magic tells. */
static RTC_NOINIT_ATTR struct {
  uint32_t magic;
  uint8_t bytes[RETAINED_BYTES];
} retained;
#define RETAINED_MAGIC 0x54455246u

const char *hal_chip(void) { return CONFIG_IDF_TARGET; }

const char *hal_mac(void) {
  static char text[13];
  uint8_t mac[6];
  if (text[0] == 0 && esp_read_mac(mac, ESP_MAC_EFUSE_FACTORY) == ESP_OK) {
    snprintf(text, sizeof text, "%02x%02x%02x%02x%02x%02x", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
  }
  return text;
}

const char *hal_reset_reason(void) {
  switch (esp_reset_reason()) {
    case ESP_RST_SW:
      return "SW_CPU_RESET";
    case ESP_RST_PANIC:
      return "PANIC";
    case ESP_RST_INT_WDT:
    case ESP_RST_TASK_WDT:
    case ESP_RST_WDT:
      return "TG0_WDT_RESET";
    case ESP_RST_DEEPSLEEP:
      return "DEEPSLEEP";
    case ESP_RST_BROWNOUT:
      return "RTCWDT_BROWN_OUT_RESET";
    default:
      return "POWERON";
  }
}

uint64_t hal_now_us(void) { return (uint64_t)esp_timer_get_time(); }

uint32_t hal_random(void) { return esp_random(); }

#if CONFIG_FLEETRIG_SERIAL_JTAG

static void start_serial(void) {
  usb_serial_jtag_driver_config_t config = {.tx_buffer_size = SEND_BYTES, .rx_buffer_size = RECEIVE_BYTES};
  ESP_ERROR_CHECK(usb_serial_jtag_driver_install(&config));
}

static int read_line(uint8_t *bytes, size_t capacity) { return usb_serial_jtag_read_bytes(bytes, capacity, 0); }

/* Without patience: while no host reads, nothing is taken, and the link keeps what is its own. */
static int write_line(const uint8_t *bytes, size_t length) { return usb_serial_jtag_write_bytes(bytes, length, 0); }

bool hal_serial_is_idle(void) { return usb_serial_jtag_wait_tx_done(0) == ESP_OK; }

static void wait_for_input(uint32_t wait_ms) { vTaskDelay(pdMS_TO_TICKS(wait_ms < LOOK_EVERY_MS ? wait_ms : LOOK_EVERY_MS)); }

#else

static void start_serial(void) {
  const uart_config_t config = {.baud_rate = 115200,
                                .data_bits = UART_DATA_8_BITS,
                                .parity = UART_PARITY_DISABLE,
                                .stop_bits = UART_STOP_BITS_1,
                                .flow_ctrl = UART_HW_FLOWCTRL_DISABLE,
                                .source_clk = UART_SCLK_DEFAULT};
  ESP_ERROR_CHECK(uart_driver_install(UART_NUM_0, RECEIVE_BYTES, SEND_BYTES, 32, &uart_events, 0));
  ESP_ERROR_CHECK(uart_param_config(UART_NUM_0, &config));
}

static int read_line(uint8_t *bytes, size_t capacity) { return uart_read_bytes(UART_NUM_0, bytes, (uint32_t)capacity, 0); }

/* The driver waits for room in its ring; only what fits is given to it. */
static int write_line(const uint8_t *bytes, size_t length) {
  size_t room = 0;
  if (uart_get_tx_buffer_free_size(UART_NUM_0, &room) != ESP_OK || room < 64) {
    return 0;
  }
  return uart_write_bytes(UART_NUM_0, bytes, length < room - 32 ? length : room - 32);
}

bool hal_serial_is_idle(void) { return uart_wait_tx_done(UART_NUM_0, 0) == ESP_OK; }

static void wait_for_input(uint32_t wait_ms) {
  uart_event_t event;
  if (xQueueReceive(uart_events, &event, pdMS_TO_TICKS(wait_ms)) == pdTRUE) {
    arrival_us = hal_now_us();
  }
}

#endif

size_t hal_serial_read(uint8_t *bytes, size_t capacity) {
  int length = read_line(bytes, capacity);
  if (length <= 0) {
    return 0;
  }
  arrival_us = arrival_us != 0 ? arrival_us : hal_now_us();
  return (size_t)length;
}

uint64_t hal_serial_arrival_us(void) {
  uint64_t at_us = arrival_us != 0 ? arrival_us : hal_now_us();
  arrival_us = 0;
  return at_us;
}

size_t hal_serial_write(const uint8_t *bytes, size_t length) {
  int written = write_line(bytes, length);
  return written > 0 ? (size_t)written : 0;
}

/* Network input has no event here: while a connection stands, it is looked at every few milliseconds. */
void hal_wait(uint64_t due_us) {
  uint64_t now_us = hal_now_us();
  uint64_t wait_ms = due_us > now_us ? (due_us - now_us) / 1000 : 0;
  uint32_t most_ms = hal_net_poll() == HAL_NET_DOWN ? WAIT_MAX_MS : LOOK_EVERY_MS;
  esp_task_wdt_reset();
  if (wait_ms > 0) {
    wait_for_input(wait_ms < most_ms ? (uint32_t)wait_ms : most_ms);
  } else {
    taskYIELD();
  }
}

void hal_restart(void) { esp_restart(); }

void hal_deep_sleep(uint64_t us) {
  esp_sleep_enable_timer_wakeup(us);
  esp_deep_sleep_start();
}

static unsigned recurse(unsigned depth) {
  volatile unsigned char room[256];
  room[depth % sizeof room] = (unsigned char)depth;
  return depth == UINT32_MAX ? depth : recurse(depth + 1) + room[depth % sizeof room];
}

void hal_crash(const char *kind) {
  if (strcmp(kind, "load-fault") == 0 || strcmp(kind, "half-frame") == 0) {
    volatile uint32_t *volatile nowhere = (volatile uint32_t *)4;
    (void)*nowhere;
  } else if (strcmp(kind, "illegal-instruction") == 0) {
    __builtin_trap();
  } else if (strcmp(kind, "stack-overflow") == 0) {
    recurse(0);
  } else if (strcmp(kind, "hang") == 0) {
    for (volatile bool is_endless = true; is_endless;) {
    }
  } else if (strcmp(kind, "silent") == 0) {
    esp_restart(); /* without a word but the ROM's */
  }
  abort();
}

/* ESP-IDF prints its panics, but does not hand them to the next run. */
bool hal_last_crash(hal_crash_record *record) {
  memset(record, 0, sizeof *record);
  if (esp_reset_reason() != ESP_RST_PANIC) {
    return false;
  }
  strncpy(record->kind, "panic", sizeof record->kind - 1);
  return true;
}

void *hal_retained(size_t *capacity) {
  *capacity = RETAINED_BYTES;
  return retained.bytes;
}

size_t hal_flash_size(void) { return data->size; }
bool hal_flash_read(size_t offset, void *bytes, size_t length) { return esp_partition_read(data, offset, bytes, length) == ESP_OK; }
bool hal_flash_write(size_t offset, const void *bytes, size_t length) {
  return esp_partition_write(data, offset, bytes, length) == ESP_OK;
}
bool hal_flash_erase(size_t offset, size_t length) { return esp_partition_erase_range(data, offset, length) == ESP_OK; }

void hal_gpio_write(int pin, bool level) {
  if (GPIO_IS_VALID_OUTPUT_GPIO(pin)) {
    gpio_set_direction((gpio_num_t)pin, GPIO_MODE_INPUT_OUTPUT);
    gpio_set_level((gpio_num_t)pin, level);
  }
}

bool hal_gpio_read(int pin) { return GPIO_IS_VALID_GPIO(pin) && gpio_get_level((gpio_num_t)pin) != 0; }

/* Without calibration: 12 bits of about 3.1 V. */
int hal_adc_millivolts(int channel) {
  int raw = 0;
  adc_oneshot_chan_cfg_t config = {.atten = ADC_ATTEN_DB_12, .bitwidth = ADC_BITWIDTH_DEFAULT};
  if (adc == NULL || channel < 0 || adc_oneshot_config_channel(adc, (adc_channel_t)channel, &config) != ESP_OK ||
      adc_oneshot_read(adc, (adc_channel_t)channel, &raw) != ESP_OK) {
    return -1;
  }
  return raw * 3100 / 4095;
}

void net_start(void);

void app_main(void) {
  esp_err_t opened = nvs_flash_init(); /* Wi-Fi keeps its calibration there */
  if (opened == ESP_ERR_NVS_NO_FREE_PAGES || opened == ESP_ERR_NVS_NEW_VERSION_FOUND) {
    nvs_flash_erase();
    nvs_flash_init();
  }
  if (retained.magic != RETAINED_MAGIC || esp_reset_reason() == ESP_RST_POWERON) {
    memset(&retained, 0, sizeof retained);
    retained.magic = RETAINED_MAGIC;
  }
  data = esp_partition_find_first(ESP_PARTITION_TYPE_DATA, (esp_partition_subtype_t)0x40, "fleetrig");
  if (data == NULL) {
    abort(); /* flashed with another partition table than partitions.csv */
  }
  adc_oneshot_unit_init_cfg_t unit = {.unit_id = ADC_UNIT_1};
  adc_oneshot_new_unit(&unit, &adc);
  start_serial();
  net_start();
  esp_task_wdt_add(NULL);
  firmware_main();
}
