const choose = (id) => { selected = id; load(); };
function main(state) {
  const next = state.items.find((s) => s.id === selected && !s.outcome) || state.items.find((s) => !s.outcome);
  if (!next) return show(text('h2', 'All sign-ins are done'), text('p', 'You can close this page; the run goes on.', { role: 'status' }));
  show(
    text('h2', next.title), problem(state),
    text('h3', 'What to do now'),
    el('ol', {},
      el('li', {}, 'Open this link in a window where nobody else is signed in (a private window): ',
        text('a', next.id, { href: next.url, className: 'go', rel: 'noreferrer' })),
      text('li', 'Sign in as the person that it names, second factor and consent included.'),
      text('li', 'Come back here. The page sees by itself that it is done.')));
}
