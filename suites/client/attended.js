const choose = (id) => { selected = id; load('start', { check: id }); };
function main(state) {
  if (state.current) return current(state);
  const at = state.items.findIndex((s) => s.id === selected);
  if (at >= 0) ended(state, at);
  else if (state.problem) show(problem(state));
  else settle(state);
}
const rows = (settings) => Object.entries(settings).map(([k, v]) => el('tr', {}, el('th', { scope: 'row' }, text('code', k)), text('td', shownValue(v))));
const recipe = (it) => it.recipe ? [text('h3', 'What to type where'), text('pre', it.recipe, { className: 'recipe', tabIndex: 0 })] : [];
function settle(state) {
  if (document.getElementById('settings')) return;
  document.getElementById('main').append(text('h3', 'Configure the client with this before you start', { id: 'settings' }),
    el('table', {}, ...rows(state.settings)), ...recipe(state));
}
function ended(state, at) {
  const s = state.items[at];
  const next = [...state.items.slice(at + 1), ...state.items.slice(0, at)].find((n) => !n.outcome);
  show(
    text('h2', s.id), text('p', `The client ${s.title}.`), problem(state),
    s.outcome ? el('p', { className: 'sofar' }, text('span', s.outcome, { className: `outcome ${s.outcome}` }), ` (${s.level}) ${s.message}`)
      : text('p', s.ready ? 'The honest run succeeded. Now the scenario itself:' : 'It was not played yet.'),
    ['fail', 'warn'].includes(s.outcome) ? text('p', s.fix) : null,
    el('div', { className: 'actions' }, button(s.outcome ? 'Play again' : 'Start the scenario', 'start', () => choose(s.id)),
      s.outcome && next ? button(`Next: ${next.id}`, 'next', () => choose(next.id)) : null));
}
const shownValue = (v) => Array.isArray(v) ? v.join(' ') : String(v);
function current(state) {
  const c = state.current;
  const settings = rows(c.settings);
  const seen = (c.seen || []).map((r) => el('tr', {}, text('td', r.note), text('td', `${r.method} ${r.url}`),
    text('td', r.status || '…', { className: 'status' })));
  const say = (saw, label) => button(label, saw, () => { selected = c.id; load('done', { saw }); });
  const soFar = c.honest ? (c.through ? ['pass', 'The client got through to the MCP server.'] : null)
    : c.untempted ? ['inconclusive', 'not tempted yet: the client did not come to the point where it could go wrong.', 'not yet']
    : c.outcome ? [c.outcome, c.message || 'Nothing wrong was seen.'] : null;
  show(
    text('h2', c.honest ? 'An honest world' : c.id),
    text('p', c.honest ? 'Nothing is wrong here: the client must get through.' : c.meets),
    c.honest ? null : text('p', c.expects),
    problem(state),
    text('h3', 'What to do now'),
    el('ol', {},
      text('li', 'Give the client the settings below, if it does not have them yet, and let it forget stored tokens of this server.'),
      el('li', {}, 'Connect it to ', text('code', c.server), ' and let it call ', text('code', c.tool), '.'),
      text('li', 'Say what it showed:')),
    el('div', { className: 'actions' }, say('connected', 'It connected, or showed nothing'), say('error', 'It showed an error'),
      say('waiting', 'It still waits')),
    soFar ? el('p', { className: 'sofar' }, 'So far: ', text('span', soFar[2] || soFar[0], { className: `outcome ${soFar[0]}` }), ` ${soFar[1]}`) : null,
    text('h3', 'Settings'), el('table', {}, ...settings), ...recipe(c),
    text('h3', seen.length ? `Seen so far: ${seen.length} requests` : 'No request was seen yet'), el('table', { className: 'seen' }, ...seen));
}
