/* The page: people, their phones, the clock, and what Tomo made of it all. */

import { fill, h, icon, toast } from './dom.mjs';
import { get } from './calls.mjs';
import { ClockBar } from './clock.mjs';
import { Names } from './names.mjs';
import { Panel } from './panel.mjs';
import { adder, People } from './people.mjs';
import { Phone } from './phone.mjs';

const AGAIN_MS = 2000;
const OPEN_FIRST = 2;
const OPEN_MAX = 12;
const KEPT = 'tomo-phones';
const VIEWS = [['talk', 'phone', 'トーク'], ['story', 'list', '何が起きたか']];
const STEPS = [
    ['person', '友だち追加', '名前を入れて「友だち追加」を押すと、あいさつが届きます。'],
    ['tap', 'タップ', 'トークのリンクを開いたり、アンケートに答えたりします。'],
    ['clock', '時計を進める', '「+1日」などを押すと、翌日からの配信がすぐに届きます。'],
    ['list', '理由を見る', '「何が起きたか」に、届いた理由が順に並びます。'],
];

class Page {
    constructor(account) {
        this.account = account;
        this.people = [];
        this.total = 0;
        this.phones = new Map();
        this.focused = undefined;
        this.stream = undefined;
        this.names = new Names();
        this.node = document.getElementById('phones');
        this.switcher = new People(document.getElementById('people'), {
            choose: (id) => this.choose(id), added: (id) => this.added(id) });
        this.panel = new Panel(document.getElementById('panel'), this.names);
        this.clock = new ClockBar(document.getElementById('clock'), {
            time: (now_ms) => this.phones.forEach(
                (phone) => phone.set_time(now_ms)) });
        this.#views();
        this.names.read().catch(() => {});
        this.#listen();
        document.addEventListener('visibilitychange', () => this.#seen());
    }

    /* A browser keeps few connections to one address: a page that nobody
       looks at gives its stream back, and reads all of it again later. */
    #seen() {
        if (document.visibilityState === 'visible') {
            this.#listen();
        } else {
            this.stream?.close();
            this.stream = undefined;
        }
    }

    /* On a narrow screen: the talk or the panel. */
    #views() {
        const bar = document.getElementById('views');
        const show = (view) => {
            document.body.dataset.view = view;
            for (const button of bar.children) {
                button.setAttribute('aria-pressed',
                    button.dataset.view === view);
            }
        };
        fill(bar, VIEWS.map(([view, mark, name]) => h('button', {
            type: 'button', 'data-view': view, on: {
                click: () => show(view) } }, icon(mark, 18), name)));
        show('talk');
    }

    /* One stream; it names the friend whose story is told. */
    #listen() {
        this.stream?.close();
        const stream = new EventSource(`/phone/api/events?story=${
            this.focused ?? ''}`);
        this.stream = stream;
        const on = (name, what) => stream.addEventListener(name,
            (event) => stream === this.stream && what(JSON.parse(event.data)));
        on('people', (news) => this.#people_news(news));
        on('clock', (news) => this.clock.news(news));
        on('story', (news) => this.#story_news(news));
        stream.onopen = () => {
            if (this.is_cut) {
                this.is_cut = false;
                this.clock.read_zone();
                this.names.read().catch(() => {});
                toast('つながりました。');
            }
            document.body.classList.remove('cut');
        };
        stream.onerror = () => this.#cut(stream);
    }

    #cut(stream) {
        if (stream !== this.stream) {
            return;
        }
        if (!this.is_cut) {
            this.is_cut = true;
            document.body.classList.add('cut');
            toast('シミュレーターとの接続が切れました。scripts/run が動いているか'
                + '確かめてください。動き出すと、この画面は自動でつながります。', true);
        }
        if (stream.readyState === EventSource.CLOSED) {
            setTimeout(() => stream === this.stream && this.#listen(),
                AGAIN_MS);
        }
    }

    #people_news({ people, total, changed }) {
        const is_first = this.total === 0 && this.phones.size === 0;
        this.people = people;
        this.total = total;
        if (is_first && total > 0) {
            this.#open_kept();
        }
        for (const [id, phone] of this.phones) {
            if (changed === null || changed.includes(id)) {
                phone.refresh();
            }
        }
        this.#show();
    }

    #story_news(news) {
        const person = this.#person(news.user_id);
        if (news.user_id === this.focused && person) {
            this.panel.show(person, news);
        }
    }

    #person(id) {
        return this.people.find((one) => one.user_id === id)
            ?? this.phones.get(id)?.person;
    }

    /* The phones of last time, else those of the newest. */
    #open_kept() {
        let kept = [];
        try {
            kept = JSON.parse(localStorage.getItem(KEPT) ?? '[]');
        } catch {
            /* no storage, or not ours: begin afresh */
        }
        const there = this.people.filter((one) => kept.includes(one.user_id));
        const open = there.length > 0 ? there
            : this.people.slice(-OPEN_FIRST);
        for (const one of open) {
            this.#open(one);
        }
        this.focus(open.at(-1).user_id);
    }

    #keep() {
        try {
            localStorage.setItem(KEPT, JSON.stringify([...this.phones.keys()]));
        } catch {
            /* then the next visit begins with the newest */
        }
    }

    #open(person) {
        if (this.phones.size >= OPEN_MAX) {
            this.#close([...this.phones.keys()].find(
                (id) => id !== this.focused));
        }
        const phone = new Phone(person, this.account, {
            focus: () => this.focus(person.user_id),
            close: () => this.#close(person.user_id) });
        phone.set_time(this.clock.now_ms());
        if (this.phones.size === 0) {
            this.node.replaceChildren();
        }
        this.phones.set(person.user_id, phone);
        this.node.append(phone.node);
        phone.talk.scroll_to_end();
        this.#keep();
    }

    #close(id) {
        this.phones.get(id)?.node.remove();
        this.phones.delete(id);
        this.#keep();
        if (this.focused === id) {
            this.focused = undefined;
            const next = [...this.phones.keys()].at(-1);
            if (next) {
                this.focus(next);
            }
        }
        this.#show();
    }

    focus(id) {
        if (this.focused === id) {
            return;
        }
        this.focused = id;
        for (const [each, phone] of this.phones) {
            phone.set_focused(each === id);
        }
        this.panel.wait(this.#person(id));
        this.#seen();
        this.#show();
    }

    choose(id) {
        if (!this.phones.has(id)) {
            this.#open(this.#person(id));
        }
        this.focus(id);
        this.#bring(id);
    }

    added(id) {
        const wait = () => {
            if (!this.#person(id)) {
                return false;
            }
            this.choose(id);
            return true;
        };
        if (!wait()) {
            this.awaited = wait;
        }
    }

    #bring(id) {
        const { node } = this.phones.get(id);
        node.scrollIntoView({ block: 'nearest', inline: 'center' });
        this.phones.get(id).talk.scroll_to_end();
    }

    #show() {
        if (this.awaited?.()) {
            this.awaited = undefined;
        }
        const is_empty = this.total === 0;
        document.body.classList.toggle('empty', is_empty);
        document.getElementById('views').hidden = is_empty;
        this.panel.node.hidden = this.focused === undefined;
        this.switcher.show(this.people, this.total,
            new Set(this.phones.keys()), this.focused);
        if (is_empty && !this.node.querySelector('.welcome')) {
            fill(this.node, welcome((id) => this.added(id)));
        } else if (!is_empty && this.phones.size === 0) {
            fill(this.node, h('p', { class: 'none-open' },
                '上の名前を押すと、その人のスマホが開きます。'));
        }
    }
}

/* What to do first. */
function welcome(added) {
    return h('section', { class: 'welcome', 'aria-labelledby': 'welcome' },
        h('h2', { id: 'welcome' }, 'LINE の友だちになってみましょう'),
        h('p', {}, 'ここは LINE の代わりをするスマホです。本物の LINE には接続せず、'
            + 'Tomo はほんものと同じように動きます。'),
        adder(added, true),
        h('ol', { class: 'first-steps' }, STEPS.map(([mark, title, text]) => h(
            'li', {}, h('span', { class: 'step-mark' }, icon(mark, 22)),
            h('div', {}, h('p', { class: 'step-title' }, title),
                h('p', {}, text))))));
}

async function start() {
    try {
        const { account } = await get('/phone/api/account');
        document.getElementById('account').textContent
            = `アカウント：${account}`;
        return new Page(account);
    } catch (error) {
        toast(error.message, true);
        return setTimeout(start, AGAIN_MS);
    }
}

start();
