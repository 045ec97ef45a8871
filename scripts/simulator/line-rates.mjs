/*
 * How many calls of each path came within any window of time, by the
 * monotonic clock, refused ones too.  A process that stood still sees calls
 * late and close together: who counts in a window shorter by `stall_ms`
 * counts calls that were sent within the longer one.
 */

import { monitorEventLoopDelay, performance } from 'node:perf_hooks';

const WINDOWS_MS = [1000, 900, 750, 500, 250];
const RESOLUTION_MS = 10;

export class Rates {
    constructor() {
        this.delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
        this.delay.enable();
        this.restart();
    }

    restart() {
        this.paths = new Map();
        this.delay.reset();
    }

    /* A path that ends in a user id counts as one for everybody. */
    count(full_path) {
        const path = full_path.replace(/U[0-9a-f]{32}$/, '*');
        const now_ms = performance.now();
        let one = this.paths.get(path);
        if (!one) {
            one = {
                calls: 0, times: [], cut: 0,
                first: WINDOWS_MS.map(() => 0),
                most: WINDOWS_MS.map(() => 0),
            };
            this.paths.set(path, one);
        }
        one.calls++;
        one.times.push(now_ms);
        for (const [i, length_ms] of WINDOWS_MS.entries()) {
            while (one.times[one.first[i] - one.cut] <= now_ms - length_ms) {
                one.first[i]++;
            }
            one.most[i] = Math.max(one.most[i],
                one.times.length + one.cut - one.first[i]);
        }
        forget(one);
    }

    as_state() {
        const paths = {};
        for (const [path, one] of this.paths) {
            paths[path] = { calls: one.calls, most: {} };
            for (const [i, length_ms] of WINDOWS_MS.entries()) {
                paths[path].most[length_ms] = one.most[i];
            }
        }
        return {
            stall_ms: Math.ceil(this.delay.max / 1e6) + RESOLUTION_MS,
            paths,
        };
    }
}

/* The longest window is the first: what it has left is not needed. */
function forget(one) {
    if (one.first[0] - one.cut > 10000) {
        one.times.splice(0, one.first[0] - one.cut);
        one.cut = one.first[0];
    }
}
