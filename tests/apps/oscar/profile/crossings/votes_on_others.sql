-- A vote on a review that somebody else wrote.
SELECT v.id FROM public.reviews_vote v JOIN public.reviews_productreview r ON r.id = v.review_id
 WHERE r.user_id <> v.user_id
