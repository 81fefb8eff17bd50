/* SPDX-License-Identifier: BSD-3-Clause */
/* Which sanitizer the library is built with. */
#ifndef GCH_PARK_SANITIZE_H
#define GCH_PARK_SANITIZE_H

#if defined(__SANITIZE_THREAD__)
#define GCH_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define GCH_TSAN 1
#endif
#endif
#ifndef GCH_TSAN
#define GCH_TSAN 0
#endif

#if defined(__SANITIZE_ADDRESS__)
#define GCH_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define GCH_ASAN 1
#endif
#endif
#ifndef GCH_ASAN
#define GCH_ASAN 0
#endif

#endif
