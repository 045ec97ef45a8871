/*
 * Every call of the LINE API that was received, newest kept: at most 200,000
 * calls and 256 MB of bodies.  Numbers rise from 1 within one start of the
 * simulator; asking after a number works whether or not older ones are gone.
 */

const MAX_CALLS = 200000;
const MAX_BYTES = 256 << 20;
const SLACK = 4096;

export class RequestLog {
    constructor() {
        this.calls = [];
        this.head = 0;
        this.seq = 0;
        this.bytes = 0;
    }

    /* call: at, method, path, headers, body; status 0 until answered. */
    add(call, bytes) {
        this.seq++;
        const entry = { seq: this.seq, ...call, status: 0 };
        this.calls.push({ entry, bytes });
        this.bytes += bytes;
        this.#drop_old();
        return entry;
    }

    *after(seq) {
        const first = this.seq - (this.calls.length - this.head) + 1;
        const start = this.head + Math.max(0, seq + 1 - first);
        const kept = this.calls.slice(start);
        for (const call of kept) {
            yield call.entry;
        }
    }

    #drop_old() {
        while (this.calls.length - this.head > MAX_CALLS
               || (this.bytes > MAX_BYTES
                   && this.calls.length - this.head > 1)) {
            this.bytes -= this.calls[this.head].bytes;
            this.calls[this.head] = undefined;
            this.head++;
        }
        if (this.head > SLACK && this.head * 2 > this.calls.length) {
            this.calls = this.calls.slice(this.head);
            this.head = 0;
        }
    }
}
