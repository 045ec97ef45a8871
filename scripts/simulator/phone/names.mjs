/* What ids are called, from the account's definitions. */

import { get } from './calls.mjs';

const KIND_WORDS = { tag: 'タグ', field: '項目', link: 'リンク',
    survey: 'アンケート', scenario: 'シナリオ' };

export class Names {
    constructor() {
        this.words = {};
    }

    /* Read again when a story names an id not known yet. */
    async read() {
        this.words = await get('/phone/api/words');
    }

    document(kind, id) {
        const list = this.words[kind] ?? {};
        return Object.hasOwn(list, id) ? list[id] : undefined;
    }

    of(kind, id) {
        const found = this.document(kind, id);
        return found?.name || found?.title || id;
    }

    /* シナリオ「はじめましての3日間」 */
    quoted(kind, id) {
        return `${KIND_WORDS[kind] ?? kind}「${this.of(kind, id)}」`;
    }

    /* ステップ 2「day1」（1日目 10:00） */
    step(scenario_id, step_id) {
        const steps = this.document('scenario', scenario_id)?.steps ?? [];
        const at = steps.findIndex((one) => one.id === step_id);
        return at < 0 ? `ステップ「${step_id}」`
            : `${at + 1} 通目「${step_id}」（${when_words(steps[at])}）`;
    }

    /* Whom a step is for, in words; undefined: everybody, or not known. */
    condition(scenario_id, step_id) {
        const steps = this.document('scenario', scenario_id)?.steps ?? [];
        const step = steps.find((one) => one.id === step_id);
        return step?.when && this.#cond(step.when);
    }

    /* 友だち登録の値を見せる形に */
    value(field_id, value) {
        const options = this.document('field', field_id)?.options ?? [];
        const label = (one) => options.find((o) => o.id === one)?.label ?? one;
        return (Array.isArray(value) ? value : [value])
            .map((one) => label(String(one))).join('、');
    }

    #cond(c) {
        const all = (list, glue) => list.map((one) => this.#cond(one))
            .join(glue);
        if (c.not) {
            return this.#not(c.not);
        }
        if (c.all || c.any) {
            return all(c.all ?? c.any, c.all ? '、しかも' : '、または');
        }
        return this.#plain(c, 'ある', 'タップした', '答えた', 'である');
    }

    #not(c) {
        return c.all || c.any || c.not ? `「${this.#cond(c)}」ではない`
            : this.#plain(c, 'ない', 'タップしていない', '答えていない',
                'ではない');
    }

    #plain(c, has, clicked, answered, is) {
        if (c.tag) {
            return `${this.quoted('tag', c.tag)}が${has}`;
        }
        if (c.clicked) {
            return `${this.quoted('link', c.clicked)}を${clicked}`;
        }
        if (c.answered) {
            return `${this.quoted('survey', c.answered)}に${answered}`;
        }
        return c.field ? `${this.quoted('field', c.field)}が「${
            this.value(c.field, c.is)}」${is}` : '条件つき';
    }
}

function when_words({ after, at }) {
    if (at) {
        return at.day === 0 ? `当日 ${at.time}` : `${at.day} 日後の ${at.time}`;
    }
    const parts = [[after?.days, '日'], [after?.hours, '時間'],
        [after?.minutes, '分']].filter(([n]) => n > 0)
        .map(([n, unit]) => `${n} ${unit}`);
    return parts.length > 0 ? `${parts.join(' ')}後` : 'すぐ';
}
