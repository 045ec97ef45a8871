/* The sandbox's clock, and the buttons that move it. */

import { fill, h, icon, toast } from './dom.mjs';
import { get, post } from './calls.mjs';
import { day_with_year, hm, use_zone } from './time.mjs';

const HOUR_S = 3600;
const STEPS = [['+1時間', HOUR_S], ['+1日', 24 * HOUR_S],
    ['+30日', 30 * 24 * HOUR_S]];
const TICK_MS = 1000;

export class ClockBar {
    /* on.time(now_ms): every second, and at once when it moved. */
    constructor(node, on) {
        this.on = on;
        this.shift_ms = 0;
        this.is_moving = false;
        this.date = h('span', { class: 'clock-date' });
        this.hour = h('span', { class: 'clock-hour' });
        this.bar = h('progress', { max: 1, value: 0,
            'aria-label': '時計の進みぐあい' });
        this.say = h('p', { class: 'clock-say', 'aria-live': 'polite' });
        this.progress = h('div', { class: 'clock-progress', hidden: true },
            this.bar, this.say);
        this.buttons = STEPS.map(([name, seconds]) => h('button', {
            type: 'button', class: 'soft', on: {
                click: () => this.#advance(name, seconds) } }, name));
        fill(node, h('p', { class: 'clock-now' }, icon('clock', 18),
            this.date, this.hour),
        h('div', { class: 'clock-buttons', role: 'group',
            'aria-label': '時計を進める' }, this.buttons), this.progress);
        setInterval(() => this.#tick(), TICK_MS);
        this.read_zone();
    }

    now_ms() {
        return Date.now() + this.shift_ms;
    }

    /* Fails while Tomo starts; it is asked again when the stream reopens. */
    async read_zone() {
        try {
            use_zone((await get('/phone/api/clock')).zone);
        } catch {
            return;
        }
        this.#tick();
    }

    /* news: {now_ms, moving} of the stream. */
    news({ now_ms, moving }) {
        this.shift_ms = now_ms - Date.now();
        if (moving) {
            this.#show_progress((now_ms - moving.from_ms)
                / (moving.to_ms - moving.from_ms), now_ms);
        } else if (!this.is_moving) {
            this.#stop();
        }
        this.#tick();
    }

    #show_progress(part, now_ms) {
        this.progress.hidden = false;
        this.bar.value = Math.max(0, Math.min(1, part));
        this.say.textContent = part >= 0.999 ? '届くのを待っています…'
            : `${day_with_year(now_ms)} ${hm(now_ms)} まで進みました`;
        this.#enable(false);
    }

    #stop() {
        this.progress.hidden = true;
        this.#enable(true);
    }

    #enable(is_on) {
        for (const button of this.buttons) {
            button.disabled = !is_on;
        }
    }

    async #advance(name, seconds) {
        const held = document.activeElement;
        this.is_moving = true;
        this.#show_progress(0, this.now_ms());
        try {
            const { now_ms, arrived } = await post('/phone/api/clock',
                { advance_s: seconds });
            this.shift_ms = now_ms - Date.now();
            toast(arrived > 0
                ? `${name}進みました。メッセージが ${arrived} 件届きました。`
                : `${name}進みました。この間に届いたメッセージはありません。`);
        } catch (error) {
            toast(error.message, true);
        }
        this.is_moving = false;
        this.#stop();
        this.#tick();
        held?.focus?.();
    }

    #tick() {
        const now_ms = this.now_ms();
        this.date.textContent = day_with_year(now_ms);
        this.hour.textContent = hm(now_ms);
        this.on.time(now_ms);
    }
}
