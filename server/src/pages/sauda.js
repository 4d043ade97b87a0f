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

// A password is typed unseen, and looked at when whoever types it wants to.
for (const input of document.querySelectorAll('input[type=password]')) {
  const button = document.createElement('button')
  const show = (isShown) => {
    input.type = isShown ? 'text' : 'password'
    button.textContent = isShown ? 'Hide' : 'Show'
    button.setAttribute('aria-label', `${button.textContent} ${input.labels[0].textContent.toLowerCase()}`)
  }
  button.type = 'button'
  button.className = 'show'
  button.setAttribute('aria-controls', input.id)
  button.addEventListener('click', () => show(input.type === 'password'))
  // Browsers keep what was typed into a field of text
  input.form.addEventListener('submit', () => show(false))
  show(false)
  input.after(button)
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
