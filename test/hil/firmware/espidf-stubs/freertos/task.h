#ifndef STUB_FREERTOS_TASK_H
#define STUB_FREERTOS_TASK_H

#include "freertos/FreeRTOS.h"
typedef struct task *TaskHandle_t;
void vTaskDelay(TickType_t ticks);
void stub_yield(void);
#define taskYIELD() stub_yield()

#endif
