// Everything works without this file; it only saves a few movements of the hand.
for (const shown of document.querySelectorAll('[data-copy]')) {
  const button = document.createElement('button')
  button.type = 'button'
  button.className = 'copy'
  button.textContent = 'Copy'
  button.setAttribute('aria-label', `Copy ${shown.getAttribute('data-copy')}`)
  const said = document.createElement('span')
  said.className = 'unseen'
  said.setAttribute('role', 'status')
  button.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(shown.textContent.trim())
      said.textContent = button.textContent = 'Copied'
    } catch {
      getSelection().selectAllChildren(shown)
      said.textContent = button.textContent = 'Selected'
    }
    setTimeout(() => {
      button.textContent = 'Copy'
      said.textContent = ''
    }, 2000)
  })
  if (navigator.clipboard !== undefined) shown.closest('.copyable').append(button, said)
}

for (const button of document.querySelectorAll('[data-print]')) {
  button.hidden = false
  button.addEventListener('click', () => print())
}

// A second click while the first is under way would do it twice.
const SAME_CLICK_MS = 2000
for (const form of document.querySelectorAll('form')) {
  let sentAt = Number.NEGATIVE_INFINITY
  form.addEventListener('submit', (event) => {
    if (event.timeStamp - sentAt < SAME_CLICK_MS) event.preventDefault()
    else sentAt = event.timeStamp
  })
}
