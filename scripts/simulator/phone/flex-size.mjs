/* Sizes of Flex messages in pixels, by their words. */

export const FONT = { xxs: 11, xs: 13, sm: 14, md: 16, lg: 19, xl: 22,
    xxl: 29, '3xl': 35, '4xl': 48, '5xl': 74 };
const SPACE = { none: 0, xs: 2, sm: 4, md: 8, lg: 12, xl: 16, xxl: 20 };
const BORDER = { none: 0, light: 0.5, normal: 1, medium: 2, 'semi-bold': 3,
    bold: 4 };
const IMAGE = { xxs: 40, xs: 60, sm: 80, md: 100, lg: 120, xl: 140, xxl: 160,
    '3xl': 180, '4xl': 200, '5xl': 220 };

/* A word of the table, or a length in px or %; undefined: neither. */
function length(table, value) {
    if (Object.hasOwn(table, value ?? '')) {
        return `${table[value]}px`;
    }
    return /^-?\d+(\.\d+)?(px|%)$/.test(value ?? '') ? value : undefined;
}

export const space = (value) => length(SPACE, value);
export const border = (value) => length(BORDER, value);
export const font = (value) => length(FONT, value ?? 'md');
export const measure = (value) => length({}, value);
export const image_width = (value) => (value === 'full' ? '100%'
    : length(IMAGE, value ?? 'md'));

/* `16:9` as CSS has it. */
export function ratio(value) {
    const found = /^(\d+(?:\.\d+)?):(\d+(?:\.\d+)?)$/.exec(value ?? '1:1');
    return found && Number(found[1]) > 0 && Number(found[2]) > 0
        ? `${found[1]} / ${found[2]}` : '1 / 1';
}

export function color(value) {
    return /^#([0-9a-f]{6}|[0-9a-f]{8})$/i.test(value ?? '')
        ? value : undefined;
}

export function gradient(background) {
    if (background?.type !== 'linearGradient') {
        return undefined;
    }
    const stops = [color(background.startColor),
        background.centerColor && `${color(background.centerColor)} ${
            measure(background.centerPosition) ?? '50%'}`,
        color(background.endColor)].filter(Boolean);
    return /^-?\d+(\.\d+)?deg$/.test(background.angle ?? '')
        ? `linear-gradient(${background.angle}, ${stops.join(', ')})`
        : undefined;
}
