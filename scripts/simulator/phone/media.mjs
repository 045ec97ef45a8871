/* Pictures, films, sounds, stickers and places. */

import { h, icon, svg } from './dom.mjs';
import { action_node, name_of } from './actions.mjs';

/* A picture that says so when it cannot be shown. */
export function picture(url, props = {}, alt = '') {
    const broken = () => node.replaceWith(h('span', {
        class: `broken ${props.class ?? ''}`, css: props.css, title: url,
    }, icon('image', 22), h('span', {}, '画像を表示できません'),
    h('small', {}, host_of(url))));
    const node = h('img', { alt, decoding: 'async',
        referrerpolicy: 'no-referrer', ...props, on: { error: broken } });
    node.src = /^https:\/\//i.test(url) ? url : 'about:blank';
    return node;
}

export function host_of(url) {
    try {
        return new URL(url).host;
    } catch {
        return '';
    }
}

export function image(message) {
    const seen = picture(message.previewImageUrl, { class: 'photo' },
        '画像メッセージ');
    return h('a', { class: 'photo-link', target: '_blank',
        rel: 'noopener noreferrer', href: https(message.originalContentUrl),
        'aria-label': '画像を新しいページで開く' }, seen);
}

function https(url) {
    return /^https:\/\//i.test(url) ? url : undefined;
}

export function film(url, preview, props = {}) {
    return h('video', { controls: true, preload: 'none', playsinline: true,
        src: https(url), poster: https(preview), 'aria-label': '動画', ...props });
}

export function video(message) {
    return h('div', { class: 'video' }, film(message.originalContentUrl,
        message.previewImageUrl, { class: 'photo' }));
}

export function audio(message) {
    const seconds = Math.round(message.duration / 1000);
    const long = `${Math.floor(seconds / 60)}:${
        String(seconds % 60).padStart(2, '0')}`;
    return h('div', { class: 'bubble audio' },
        h('p', {}, icon('sound', 18), `ボイスメッセージ ${long}`),
        h('audio', { controls: true, preload: 'none',
            src: https(message.originalContentUrl), 'aria-label': '音声' }));
}

/* Stickers are others' drawings: ours stand in, one face per sticker. */
export function sticker(package_id, sticker_id) {
    const n = Number(String(sticker_id).slice(-6)) || 0;
    const hue = n * 47 % 360;
    const mouth = ['M38 62q12 12 24 0', 'M38 64h24', 'M40 68q10-10 20 0',
        'M42 60q8 16 16 0z'][n % 4];
    const eyes = ['M36 46h.01M64 46h.01', 'M32 46q4-5 8 0M60 46q4-5 8 0',
        'M33 44l7 4-7 4M67 44l-7 4 7 4'][n % 3];
    return h('figure', { class: 'sticker' },
        svg('svg', { viewBox: '0 0 100 100', width: 120, height: 120,
            role: 'img', 'aria-label': `スタンプ（${package_id}/${sticker_id}）` },
        svg('path', { class: 'sticker-ears', d: 'M22 38 20 16l18 10M78 38l2-22-18 10',
            css: { fill: `hsl(${hue} 60% 72%)` } }),
        svg('circle', { cx: 50, cy: 54, r: 34,
            css: { fill: `hsl(${hue} 70% 82%)` } }),
        svg('path', { class: 'sticker-line', d: `${eyes}${mouth}` })),
        h('figcaption', {}, `スタンプ ${package_id} / ${sticker_id}`));
}

export function location(message) {
    const { title, address, latitude, longitude } = message;
    const map = svg('svg', { viewBox: '0 0 240 110', class: 'map',
        'aria-hidden': 'true', preserveAspectRatio: 'xMidYMid slice' },
    svg('rect', { class: 'map-ground', width: 240, height: 110 }),
    svg('path', { class: 'map-park', d: 'M0 70q50-25 80 5t60 35H0z' }),
    svg('path', { class: 'map-water', d: 'M160 0q10 30 80 36V0z' }),
    svg('path', { class: 'map-road', d: 'M0 40 240 66M70 0l26 110M180 0l-30 110' }),
    svg('path', { class: 'map-pin', d: 'M120 72c-10-11-15-18-15-26a15 15 0 0 1'
        + ' 30 0c0 8-5 15-15 26z' }),
    svg('circle', { class: 'map-dot', cx: 120, cy: 46, r: 5.5 }));
    return h('div', { class: 'card place' }, map, h('div', { class: 'card-body' },
        h('p', { class: 'card-title' }, title ?? '位置情報'),
        address && h('p', { class: 'card-text' }, address),
        h('p', { class: 'small' }, `${latitude}, ${longitude}`)));
}

/* One picture with areas to tap, measured on a width of 1040. */
export function imagemap(message, ctx) {
    const { width, height } = message.baseSize;
    const place = ({ x, y, width: w, height: t }) => ({
        left: `${x / width * 100}%`, top: `${y / height * 100}%`,
        width: `${w / width * 100}%`, height: `${t / height * 100}%`,
    });
    const film_part = message.video && h('div', { class: 'imagemap-area film',
        css: place(message.video.area) }, film(
        message.video.originalContentUrl, message.video.previewImageUrl));
    return h('div', { class: 'imagemap', role: 'group',
        'aria-label': message.altText,
        css: { 'aspect-ratio': `${width} / ${height}` } },
    picture(`${message.baseUrl}/700`, { class: 'imagemap-picture' },
        message.altText),
    message.actions.map((action) => action_node(action, ctx, {
        class: 'imagemap-area', css: place(action.area),
        'aria-label': name_of(action) })),
    film_part);
}
